"""What a deployment wraps: plain files, and the little code that writes some of them."""
