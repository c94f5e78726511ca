"""What tools/plots is made of."""
