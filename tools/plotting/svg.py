"""Charts, one below the other, as SVG. Nothing in it depends on anything but the charts."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 260                       # of one chart
LEFT, RIGHT, TOP, BOTTOM = 60, 16, 34, 42      # around what is plotted
TICKS = 6                                      # at most so many on an axis
DETAIL = 0.6                                   # pixels: points that lie closer are left out
FLATNESS = 0.05                                # square pixels: what counts as a straight line
COLOURS = {"blue": "#1f5fa8", "red": "#b5322d", "green": "#2c7a3f", "grey": "#8a8a8a"}
INK, GRID = "#333333", "#e2e2e2"


def tick_step(span):
    """1, 2 or 5 times a power of ten, so that there are about TICKS of them."""
    step = 1e-6
    while True:
        for factor in (1, 2, 5):
            if span / (step * factor) <= TICKS:
                return step * factor
        step *= 10


def ticks(low, high):
    step = tick_step(high - low)
    number = math.ceil(low / step)
    while number * step <= high + step / 1000:
        yield number * step
        number += 1


def number_text(value):
    return f"{value:.6g}"


class Plane:
    """From the chart's numbers to pixels."""

    def __init__(self, chart, top):
        self.x_low, self.x_high = chart.x_range
        self.y_low, self.y_high = chart.y_range
        self.top = top

    def x(self, value):
        return LEFT + (value - self.x_low) / (self.x_high - self.x_low) * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        height = HEIGHT - TOP - BOTTOM
        return self.top + TOP + (1 - (value - self.y_low) / (self.y_high - self.y_low)) * height


def text(x, y, words, anchor="start", size=12, colour=INK, more=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}"{more}>'
            f"{escape(words)}</text>")


def stroke(x1, y1, x2, y2, colour, more=""):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{more}/>'


def axes(chart, plane):
    bottom, right = plane.y(plane.y_low), plane.x(plane.x_high)
    parts = []
    for value in ticks(plane.y_low, plane.y_high):
        parts.append(stroke(LEFT, plane.y(value), right, plane.y(value), GRID))
        parts.append(text(LEFT - 6, plane.y(value) + 4, number_text(value), "end", 11))
    for value in ticks(plane.x_low, plane.x_high):
        parts.append(stroke(plane.x(value), bottom, plane.x(value), bottom + 4, INK))
        parts.append(text(plane.x(value), bottom + 17, number_text(value), "middle", 11))
    parts.append(stroke(LEFT, bottom, right, bottom, INK))
    parts.append(stroke(LEFT, plane.y(plane.y_high), LEFT, bottom, INK))
    parts.append(text(right, bottom + 33, chart.x_label, "end", 11))
    parts.append(text(14, plane.y(plane.y_high) - 8, chart.y_label, "start", 11))
    parts.append(text(WIDTH / 2, plane.top + 15, chart.title, "middle", 13, more=' font-weight="bold"'))
    return parts


def corners(points, steps):
    """The points of a line, and the corners of its steps."""
    before = None
    for x, y in points:
        if steps and before is not None:
            yield x, before
        yield x, y
        before = y


def seen(chart, line):
    """The part of a line that lies within the chart, with one point on either side."""
    low, high = chart.x_range
    first = max([i for i, (x, _) in enumerate(line.points) if x < low], default=0)
    points = [(max(x, low), y) for x, y in line.points[first:] if x <= high]
    if line.steps and points:
        points.append((high, points[-1][1]))
    return points


def path(chart, plane, line):
    """Thinned: of what falls into one pixel's breadth only a turn of more than DETAIL is kept."""
    kept = []
    for x, y in corners(seen(chart, line), line.steps):
        point = (plane.x(x), plane.y(min(max(y, plane.y_low), plane.y_high)))
        if len(kept) > 1 and all(abs(a - b) < DETAIL for a, b in zip(point, kept[-1])):
            continue
        kept.append(point)
    words = " ".join(f"{x:.1f},{y:.1f}" for x, y in straightened(kept))
    return f'<polyline points="{words}" fill="none" stroke="{COLOURS[line.colour]}" stroke-width="1.5"/>'


def straightened(points):
    """Without the points that lie on the line between their neighbours."""
    kept = []
    for i, (x, y) in enumerate(points):
        if kept and i + 1 < len(points):
            (x0, y0), (x1, y1) = kept[-1], points[i + 1]
            beside = abs((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0))
            onward = (x - x0) * (x1 - x) + (y - y0) * (y1 - y)
            if beside < FLATNESS and onward >= 0:
                continue
        kept.append((x, y))
    return kept


def marks(chart, plane):
    parts = []
    for label, value, label_x in chart.levels:
        y = plane.y(value)
        parts.append(stroke(LEFT, y, plane.x(plane.x_high), y, INK, ' stroke-dasharray="4 4"'))
        parts.append(text(plane.x(label_x), y + 13, label, "start", 11))
    for label, value in chart.times:
        x = plane.x(value)
        parts.append(stroke(x, plane.y(plane.y_high), x, plane.y(plane.y_low), INK, ' stroke-dasharray="2 3"'))
        parts.append(text(x + 3, plane.y(plane.y_high) + 11, label, "start", 11))
    return parts


def legend(chart, plane):
    parts, x, y = [], LEFT + 60, plane.top + HEIGHT - 9
    for line in chart.lines:
        parts.append(stroke(x, y - 4, x + 18, y - 4, COLOURS[line.colour], ' stroke-width="2"'))
        parts.append(text(x + 24, y, line.label, size=11))
        x += 40 + 6.5 * len(line.label)
    return parts


def draw(charts):
    height = HEIGHT * len(charts)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
             f'viewBox="0 0 {WIDTH} {height}" font-family="Helvetica, Arial, sans-serif">',
             f'<rect width="{WIDTH}" height="{height}" fill="white"/>']
    for number, chart in enumerate(charts):
        plane = Plane(chart, number * HEIGHT)
        parts += axes(chart, plane) + marks(chart, plane)
        parts += [path(chart, plane, line) for line in chart.lines]
        parts += legend(chart, plane)
    return "\n".join(parts + ["</svg>", ""])
