"""One file for whoever helps: what this stack is, does and did, without its secrets; and two of them compared."""
