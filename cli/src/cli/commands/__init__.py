"""What can be typed after `clearfacts`."""
