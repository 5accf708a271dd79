"""The stack description: ``compose.yaml`` read, checked and turned into a plan. Nothing here touches the world."""
