"""Who may ask what of the API: roles of routes, named keys, and the record of what was changed with them."""
