"""What tests share: the real stack, and builders."""
