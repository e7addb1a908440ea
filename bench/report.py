"""Tables as text that is also markdown, and the file that keeps them."""

import io
import re

HEAD = "# Results\n\nWritten by `bench/run`, a part at a time; bench/README.md says what the columns are.\n"


def _shown(value):
    if value is None:
        return ""
    if isinstance(value, float):
        digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2
        return f"{value:,.{digits}f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def table(title, columns, rows):
    """rows are lists as long as columns; numbers are set to the right."""
    cells = [[_shown(value) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in [columns, *cells]) for i in range(len(columns))]
    is_text = [all(isinstance(row[i], str) for row in rows) for i in range(len(columns))]
    out = io.StringIO()
    out.write(f"\n## {title}\n\n")

    def write(line):
        sides = [text.ljust(width) if left else text.rjust(width)
                 for text, width, left in zip(line, widths, is_text)]
        out.write(f"| {' | '.join(sides)} |\n")

    write(columns)
    write(["-" * width if left else "-" * (width - 1) + ":"
           for width, left in zip(widths, is_text)])
    for line in cells:
        write(line)
    return out.getvalue()


def replace_part(path, name, text):
    """A part of the file, which begins with its name as a heading; the other parts stay."""
    old = path.read_text() if path.exists() else HEAD
    parts = re.split(r"^# part: (\w+)\n", old, flags=re.M)
    bodies = dict(zip(parts[1::2], parts[2::2]))
    bodies[name] = text.rstrip("\n") + "\n\n"
    whole = "".join(f"# part: {part}\n{body}" for part, body in bodies.items())
    path.write_text(f"{HEAD}\n{whole}".rstrip("\n") + "\n")
