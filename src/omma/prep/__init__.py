"""Where words, pictures and videos become samples, and boxes and points become pixels again."""
