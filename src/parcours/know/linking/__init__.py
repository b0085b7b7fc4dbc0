"""Linking: people whose own data is so alike that they are probably one, found by a batch, never while collecting."""
