"""Draws what report.py tables: size against speed, in both directions, as an SVG."""
import math

WIDTH, HEIGHT = 940, 430
TOP, BOTTOM, LEFT, GAP, PANEL = 46, 58, 62, 20, 420
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
LABEL_HEIGHT, LETTER_WIDTH = 13, 6.6


def shorter(name):
    """A program's name on the picture."""
    for long, short in (("corpress ", ""), (" --lgwin=24", ""), (" --ultra", ""), (" o16 m1g", ""),
                        (" --long=27", "")):
        name = name.replace(long, short)
    return name


def front(points):
    """Of (speed, size, ...): those that no other one beats in both, by speed."""
    best = []
    for point in sorted(points, key=lambda p: (p[1], -p[0])):
        if not best or point[0] > best[-1][0]:
            best.append(point)
    return best


def overlap(a, b):
    """Whether two boxes (left, top, right, bottom) share a point."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def place(points, left, right):
    """Where the labels of points (x, y, name) begin: beside, above or below them, where no other
    label or point is, between left and right."""
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y, _ in points]
    places = []
    for x, y, name in points:
        width = LETTER_WIDTH * len(name)
        ways = [(x + 7, y + 4), (x - width / 2, y - 9), (x - width / 2, y + 17),
                (x - 7 - width, y + 4)]
        for step in range(1, 6):
            down = step * LABEL_HEIGHT
            ways += [(x + 7, y + 4 + down), (x + 7, y + 4 - down), (x - 7 - width, y + 4 + down),
                     (x - 7 - width, y + 4 - down)]
        boxes = [(at[0], at[1] - 10, at[0] + width, at[1] + 3) for at in ways]
        free = [i for i, box in enumerate(boxes) if box[0] >= left and box[2] <= right
                and not any(overlap(box, other) for other in taken)]
        best = free[0] if free else 0
        taken.append(boxes[best])
        places.append(ways[best])
    return places


def text(x, y, content, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{content}</text>'


class Panel:
    """One direction."""

    def __init__(self, left, speeds, sizes):
        self.left = left
        self.slow, self.fast = math.log(min(speeds) / 1.3), math.log(max(speeds) * 4)
        self.small, self.large = min(sizes) - 0.08, max(sizes) + 0.12

    def x(self, speed):
        share = (math.log(speed) - self.slow) / (self.fast - self.slow)
        return self.left + PANEL * share

    def y(self, size):
        share = (size - self.small) / (self.large - self.small)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    def grid(self, title, with_sizes):
        right, floor = self.left + PANEL, HEIGHT - BOTTOM
        lines = [text(self.left + PANEL / 2, TOP - 14, title,
                      ' class="title" text-anchor="middle"')]
        for tick in TICKS:
            if self.left <= self.x(tick) <= right:
                lines.append(f'<path class="grid" d="M{self.x(tick):.1f} {TOP}V{floor}"/>')
                lines.append(text(self.x(tick), floor + 16, f"{tick:g}", ' text-anchor="middle"'))
        size = math.ceil(self.small * 5) / 5
        while size < self.large:
            lines.append(f'<path class="grid" d="M{self.left} {self.y(size):.1f}H{right}"/>')
            if with_sizes:
                lines.append(text(self.left - 6, self.y(size) + 4, f"{size:.1f}",
                                  ' text-anchor="end"'))
            size = round(size + 0.2, 1)
        lines.append(text(self.left + PANEL / 2, floor + 36, "MB a second of one core",
                          ' text-anchor="middle"'))
        return lines

    def points(self, rows):
        """rows: (speed, size, program)."""
        best = front(rows)
        path = "L".join(f"{self.x(speed):.1f} {self.y(size):.1f}" for speed, size, _ in best)
        lines = [f'<path class="front" d="M{path}"/>']
        # Ours choose their places first.
        rows = sorted(rows, key=lambda row: (not row[2].startswith("corpress"), row[1]))
        points = [(self.x(speed), self.y(size), shorter(program)) for speed, size, program in rows]
        places = place(points, self.left, self.left + PANEL)
        for row, point, at in zip(rows, points, places):
            kind = "ours" if row[2].startswith("corpress") else "peer"
            lines.append(f'<circle class="{kind}" cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="4"/>')
            lines.append(text(*at, point[2], f' class="{kind}"'))
        return lines


def draw(title, raw, rows):
    """The picture of one input's rows in results.json."""
    sizes = [row["bytes"] * 8 / raw for row in rows]
    ways = (("compressing", "compress_seconds"), ("decompressing", "decompress_seconds"))
    speeds = [raw / 1e6 / row[key] for row in rows for _, key in ways]
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             f'width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{title}: size and speed">',
             "<style>text{font:12px sans-serif;fill:#444}.title{font-weight:bold}"
             "text.ours{fill:#b3261e;font-weight:bold}circle.ours{fill:#b3261e}"
             "circle.peer{fill:#7a7a7a}.grid{stroke:#e4e4e4;fill:none}"
             ".front{stroke:#b3261e;stroke-opacity:.35;stroke-width:2;fill:none}</style>",
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
             text(14, TOP - 14, "bits a byte")]
    for i, (name, key) in enumerate(ways):
        panel = Panel(LEFT + i * (PANEL + GAP), speeds, sizes)
        lines += panel.grid(f"{title}, {name}", i == 0)
        lines += panel.points([(raw / 1e6 / row[key], size, row["program"])
                               for row, size in zip(rows, sizes)])
    return "\n".join(lines + ["</svg>", ""])
