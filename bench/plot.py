#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws what `./dev bench --peers --json FILE` wrote: nanoseconds an element over columns, a line a library.
Or what `./dev bench duplicates --benchmark_out=FILE` wrote: a line a method.

usage: plot.py FILE.json OUT.svg [PRIMITIVE] [TYPE]     (softmax float, unless told)
       plot.py FILE.json OUT.svg [INPUT]                (of duplicates: shuffled, unless told)
"""
import json
import math
import sys
from xml.sax.saxutils import escape

COLOURS = {
    "gibbs": "#d1242f", "XNNPACK": "#0969da", "oneDNN": "#1a7f37", "Eigen": "#8250df", "scalar": "#6e7781",
    "automatic": "#d1242f", "floyd": "#0969da", "brent": "#8250df", "bitset": "#1a7f37",
}
OURS = ("gibbs", "automatic")
SPARE = ["#bc4c00", "#bf3989", "#0a7ea4"]
WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 64, 110, 44, 52
NUMBERS = 'font-size="12" fill="#57606a"'


def lines_of(data, primitive, type_name):
    """{library: [(columns, ns)]}, with the machine's limit as a library of that name."""
    cells = [cell for cell in data["results"]
             if (cell["primitive"], cell["type"], cell["variant"]) == (primitive, type_name, "warm")]
    rows = {}
    for cell in cells:
        rows[cell["columns"]] = max(cell.get("rows", 1), rows.get(cell["columns"], 1))
    lines = {}
    for cell in cells:
        if cell.get("rows", 1) < rows[cell["columns"]]:
            continue  # a row by itself, where there are many
        for library in cell["libraries"]:
            lines.setdefault(library["name"], []).append((cell["columns"], library["ns_per_element"]))
        if "limit_ns_per_element" in cell:
            lines.setdefault("limit", []).append((cell["columns"], cell["limit_ns_per_element"]))
    return {name: sorted(points) for name, points in lines.items()}


def of_duplicates(data):
    """The same structure, made of what Google Benchmark writes. The automatic choice is counting."""
    results = []
    for run in data["benchmarks"]:
        order, n, method = run["run_name"].split("/")[:3]
        if run.get("aggregate_name") == "min" and method != "counting":
            results.append({
                "primitive": "find_duplicate", "type": order, "variant": "warm", "columns": int(n),
                "libraries": [{"name": method, "ns_per_element": run["element"] * 1e9}]})
    return {
        "results": results,
        "caption": "n: how many different integers",
        "context": {"processor": data["context"].get("processor", "unknown"), "architecture": "32-bit integers"},
    }


def short(columns):
    if columns >= 1000000 and columns % 1000000 == 0:
        return f"{columns // 1000000}M"
    if columns >= 1 << 20 and columns % (1 << 20) == 0:
        return f"{columns >> 20} Mi"
    return f"{columns // 1000}k" if columns >= 100000 else str(columns)


def spaced(wanted, gap):
    """Moves label positions apart, keeping their order."""
    placed = []
    for y, key in sorted(wanted):
        y = max(y, placed[-1][0] + gap) if placed else y
        placed.append((y, key))
    overflow = placed[-1][0] - (HEIGHT - BOTTOM) if placed else 0
    return {key: y - max(0, overflow) for y, key in placed}


def draw(data, primitive, type_name):
    lines = lines_of(data, primitive, type_name)
    if not lines:
        sys.exit(f"no warm cells of {primitive} {type_name} in the file")
    columns = sorted({c for points in lines.values() for c, _ in points})
    times = [t for points in lines.values() for _, t in points]
    x_low, x_high = math.log(columns[0]), math.log(max(columns[-1], columns[0] * 2))
    y_low, y_high = math.log(min(times) / 1.15), math.log(max(times) * 1.15)

    def x(value):
        return LEFT + (math.log(value) - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)

    def y(value):
        return HEIGHT - BOTTOM - (math.log(value) - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM)

    context = data["context"]
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="system-ui, sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="16" font-weight="600" fill="#1f2328">{escape(primitive)}, '
        f"{escape(type_name)}: nanoseconds an element</text>",
        f'<text x="{WIDTH - 12}" y="24" text-anchor="end" {NUMBERS}>'
        f'{escape(context["processor"])}, {escape(context["architecture"])}, one core</text>',
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle" {NUMBERS}>'
        f'{data.get("caption", "columns (small rows in a batch of about 2^16 elements)")}</text>',
    ]
    for power in range(-3, 4):
        for digit in (1, 2, 5):
            value = digit * 10.0**power
            if not y_low <= math.log(value) <= y_high:
                continue
            out.append(
                f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" '
                'stroke="#d8dee4"/>'
                f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end" {NUMBERS}>{value:g}</text>')
    last = -100.0
    for value in columns:
        out.append(f'<line x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{HEIGHT - BOTTOM}" '
                   f'y2="{HEIGHT - BOTTOM + 4}" stroke="#57606a"/>')
        if x(value) - last >= 38:
            out.append(f'<text x="{x(value):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle" {NUMBERS}>'
                       f"{short(value)}</text>")
            last = x(value)

    spare = iter(SPARE * len(lines))
    labels = spaced([(y(points[-1][1]) + 4, name) for name, points in lines.items()], 15)
    for name, points in lines.items():
        limit = name == "limit"
        colour = "#afb8c1" if limit else COLOURS.get(name) or next(spare)
        path = " ".join(f"{x(c):.1f},{y(t):.1f}" for c, t in points)
        style = 'stroke-dasharray="5 4"' if limit else f'stroke-width="{3 if name in OURS else 1.8}"'
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" {style}/>')
        if not limit:
            out += [f'<circle cx="{x(c):.1f}" cy="{y(t):.1f}" r="3" fill="{colour}"/>' for c, t in points]
        weight = ' font-weight="600"' if name in OURS else ""
        out.append(f'<text x="{x(points[-1][0]) + 10:.1f}" y="{labels[name]:.1f}" font-size="13"{weight} '
                   f'fill="{"#57606a" if limit else colour}">{escape(name)}</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"


def main():
    if not 3 <= len(sys.argv) <= 5:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        data = json.load(file)
    if "benchmarks" in data:
        data = of_duplicates(data)
        sys.argv.insert(3, "find_duplicate")
        if len(sys.argv) == 4:
            sys.argv.append("shuffled")
    primitive = sys.argv[3] if len(sys.argv) > 3 else "softmax"
    type_name = sys.argv[4] if len(sys.argv) > 4 else "float"
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(draw(data, primitive, type_name))


if __name__ == "__main__":
    main()
