"""A picture and a wish in, a typed result out: each skill is a prompt and the reading of its answer."""
