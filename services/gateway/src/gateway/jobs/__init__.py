"""Jobs under way: ended early, and watched."""
