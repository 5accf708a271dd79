"""The Docker SDK's one home: its client, how an engine is found and reached, its errors as sentences, its images."""
