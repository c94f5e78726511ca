"""A chart as data: lines over an axis of time. svg.py draws it."""


class Line:
    """Points (x, y) in the order of x. With `steps` a value holds until the next one."""

    def __init__(self, label, colour, points, steps=False):
        self.label, self.colour, self.points, self.steps = label, colour, points, steps


class Chart:
    """Axes, lines, and marks at a level or a time. The range of y, unless given, is what is seen."""

    def __init__(self, title, x_label, y_label, x_range, y_range=None):
        self.title, self.x_label, self.y_label = title, x_label, y_label
        self.x_range, self._y_range = x_range, y_range
        self.lines, self.levels, self.times = [], [], []

    def add(self, line):
        self.lines.append(line)

    def mark_level(self, label, value, label_x):
        """`label_x`: where on the axis of x its label begins."""
        self.levels.append((label, value, label_x))

    def mark_time(self, label, value):
        if self.x_range[0] <= value <= self.x_range[1]:
            self.times.append((label, value))

    @property
    def y_range(self):
        if self._y_range:
            return self._y_range
        first, last = self.x_range
        highest = max(y for line in self.lines for x, y in line.points if first <= x <= last)
        return (0, max([highest] + [value for _, value, _ in self.levels]) * 1.08)
