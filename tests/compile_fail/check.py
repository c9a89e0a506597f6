#!/usr/bin/env python3
"""Compiles one case twice: as it is, which must work, and with -DWRONG, which must fail and say why.

    check.py CASE.cpp COMPILER [ARGUMENT...]

A case names what the compiler must say in lines `// says: text`; white space in the text stands for any.
"""
import re
import subprocess
import sys


def compile_case(case, command):
    return subprocess.run([*command, "-fsyntax-only", case], capture_output=True, text=True, check=False)


def main():
    case, command = sys.argv[1], sys.argv[2:]
    with open(case, encoding="utf-8") as file:
        says = re.findall(r"^// says: (.+)$", file.read(), re.MULTILINE)
    problems = [] if says else ["the case has no line `// says: text`"]

    right = compile_case(case, command)
    if right.returncode != 0:
        problems.append("does not compile without -DWRONG:\n" + right.stderr)
    wrong = compile_case(case, [*command, "-DWRONG"])
    if wrong.returncode == 0:
        problems.append("compiles with -DWRONG")
    heard = " ".join(wrong.stderr.split())
    for text in says:
        if " ".join(text.split()) not in heard:
            problems.append(f"the compiler did not say: {text}\nbut:\n{wrong.stderr}")

    for problem in problems:
        print(f"{case}: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
