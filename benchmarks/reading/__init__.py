"""How fast ratings files become `Ratings`, and in how much memory."""
