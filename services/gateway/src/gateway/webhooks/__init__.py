"""Endpoints of integrators: registered, shown, asked to be told again. The notifier delivers."""
