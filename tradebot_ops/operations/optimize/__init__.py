"""Fit settings to what the stack really uses: facts, a pure decision, a change with a way back."""
