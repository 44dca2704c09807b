"""How fast the service answers, beside Cornac's Flask server."""
