"""What an invoice may become: pure, no input or output."""
