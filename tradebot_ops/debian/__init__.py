"""Downloads from a Debian mirror where no registry answers: packages, and root file systems."""
