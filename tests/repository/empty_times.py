"""What is not known is null in a document: a program that reads a time or a number must not be given an empty text."""

import re

#: Such a member, in the text of a document: fields are named for their units.
EMPTY = re.compile(r'"(?:\w+_)?(?:at|since|until|s|ms|seconds|bytes|days)":\s*""')
