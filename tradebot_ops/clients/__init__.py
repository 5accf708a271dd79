"""What we ask the running stack. Sources only read, each with its own deadline; a refusal is told as a sentence."""
