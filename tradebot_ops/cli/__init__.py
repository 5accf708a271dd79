"""The command line: declare, call, emit. One file per command group, imported when its command is called."""
