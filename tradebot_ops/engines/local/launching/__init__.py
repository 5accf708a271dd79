"""Common to the programs of the stack: what one is, and how its binary is found and started."""
