"""What the tests of programs stand on, beside test/qemu/harness/."""
