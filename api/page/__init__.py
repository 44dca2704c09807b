"""The pages at the API's root: what is recommended and why, and what the embeddings learned."""

from api.page import explore, insights, models, recommend, users
from api.page.site import register

__all__ = ["explore", "insights", "models", "recommend", "register", "users"]
