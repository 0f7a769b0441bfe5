"""A first program: ask about a picture, find something in it, read another one."""

import omma

model = omma.load("omma-nano")

print(model.ask("examples/shapes.png", "What colour is the square?"))
for box in model.find("examples/stars.png", "star"):
    print(box.label, round(box.x1), round(box.y1), round(box.x2), round(box.y2))
print(model.read("examples/heading.png").text)
