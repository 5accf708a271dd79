"""What the programs of the stack have in common: what one is, and how its binary is found and started."""
