"""The web page: the server, its addresses, the chat's events and what belongs to whom. What it draws is made in ``assistant.view``."""
