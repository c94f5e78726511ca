"""What is built, and how: the parts from which configure.py writes build.ninja."""
