"""How clients connect: logins that stay secret, deadlines, no proxies of the environment."""
