"""Turns rows of results into a table, a JSON file and an SVG bar plot."""

import html
import json
import math


class Row:
    """One line of the table. `unit` is s or ns or bytes; `ratio` is ours / peer, smaller is better; `goal` may be None."""

    def __init__(self, group, name, peer_name, goal, unit="s", note=""):
        self.group = group
        self.name = name
        self.peer_name = peer_name
        self.goal = goal
        self.unit = unit
        self.note = note
        self.ours = None
        self.peer = None
        self.ratio = None
        self.ratios = []
        self.error = None

    @property
    def verdict(self):
        if self.error is not None:
            return "error"
        if self.goal is None:
            return "-"
        return "ok" if self.ratio <= self.goal else "MISSED"

    def as_json(self):
        return {"group": self.group, "name": self.name, "peer": self.peer_name, "unit": self.unit, "ours": self.ours,
                "theirs": self.peer, "ratio": self.ratio, "ratios": self.ratios, "goal": self.goal,
                "verdict": self.verdict, "error": self.error, "note": self.note}


def number(value, unit):
    if value is None:
        return ""
    if unit == "s":
        return f"{value:.3f}"
    if unit == "ns":
        return f"{value:.2f}"
    return f"{value:.0f}"


def ratio_text(value):
    if value is None:
        return ""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"


HEADINGS = ("program", "peer", "unit", "ours", "theirs", "ratio", "goal", "")


def cells(row):
    goal = "" if row.goal is None else ratio_text(row.goal)
    last = row.verdict if row.error is None else f"error: {row.error}"
    if row.note:
        last += f"  {row.note}"
    return (row.name, row.peer_name, row.unit, number(row.ours, row.unit), number(row.peer, row.unit),
            ratio_text(row.ratio), goal, last)


WIDTHS = (26, 18, 5, 10, 10, 8, 7, 0)


def line(parts):
    left = (0, 1, 2, 7)
    return "  ".join(part.ljust(width) if place in left else part.rjust(width)
                     for place, (part, width) in enumerate(zip(parts, WIDTHS))).rstrip()


def heading():
    return line(HEADINGS)


def geometric_mean(rows):
    """Of the rows that have a ratio; None when one of them failed: a mean over fewer programs is another figure."""
    if not rows or any(row.ratio is None for row in rows):
        return None
    return math.exp(sum(math.log(row.ratio) for row in rows) / len(rows))


def write_json(path, rows, facts):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(dict(facts, rows=[row.as_json() for row in rows]), file, indent=1)
        file.write("\n")


BAR_HEIGHT = 16
BAR_STEP = 22
LABEL_WIDTH = 270
PLOT_WIDTH = 520
LARGEST = 2.0


def write_svg(path, rows, title):
    """A bar a row, length = ratio (cut at 2), a line at 1, a tick at the goal; green when the goal is met."""
    shown = [row for row in rows if row.ratio is not None]
    scale = PLOT_WIDTH / LARGEST
    height = 60 + BAR_STEP * len(shown) + 30
    width = LABEL_WIDTH + PLOT_WIDTH + 90
    colours = {"ok": "#2e7d32", "MISSED": "#c62828", "-": "#546e7a"}
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
           f'font-size="12">', f'<rect width="{width}" height="{height}" fill="white"/>',
           f'<text x="12" y="22" font-size="15">{html.escape(title)}</text>',
           '<text x="12" y="40" fill="#546e7a">Ratio to the peer, shorter is better; the tick is the goal.</text>']
    bottom = 54 + BAR_STEP * len(shown)
    for tick in (0.0, 0.5, 1.0, 1.5, 2.0):
        x = LABEL_WIDTH + tick * scale
        stroke = "#000" if tick == 1.0 else "#cfd8dc"
        out.append(f'<line x1="{x:.1f}" y1="50" x2="{x:.1f}" y2="{bottom}" stroke="{stroke}"/>')
        out.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{tick:.1f}</text>')
    for place, row in enumerate(shown):
        y = 54 + BAR_STEP * place
        length = max(1.0, min(row.ratio, LARGEST) * scale)
        label = html.escape(f"{row.name} / {row.peer_name}")
        out.append(f'<text x="{LABEL_WIDTH - 8}" y="{y + 12}" text-anchor="end">{label}</text>')
        out.append(f'<rect x="{LABEL_WIDTH}" y="{y}" width="{length:.1f}" height="{BAR_HEIGHT}" '
                   f'fill="{colours[row.verdict]}"/>')
        out.append(f'<text x="{LABEL_WIDTH + length + 6:.1f}" y="{y + 12}">{ratio_text(row.ratio)}</text>')
        if row.goal is not None and row.goal <= LARGEST:
            x = LABEL_WIDTH + row.goal * scale
            out.append(f'<line x1="{x:.1f}" y1="{y - 2}" x2="{x:.1f}" y2="{y + BAR_HEIGHT + 2}" stroke="#ff8f00" '
                       'stroke-width="2"/>')
    out.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")
