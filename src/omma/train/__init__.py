"""The school: a recipe in, a model that learned out."""
