"""A network's C on an emulated Cortex-M4: the golden test, bytes of flash and RAM, and instructions per step."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from cfc_ref import checks
from cfc_ref.export.c_source import fill

__all__ = ["GCC", "QEMU", "Measured", "on_cortex_m4"]

GCC, QEMU = "arm-none-eabi-gcc", "qemu-system-arm"
_CHIP = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
_FREE = ("-std=c99", "-O2", "-ffreestanding", "-nostdlib", "-I.")
_BOARD = ("-M", "mps2-an386", "-icount", "shift=0", "-nographic", "-monitor", "none", "-serial", "none")
_TICK = 40  # instructions: with -icount shift=0 one takes 1 ns, and the board's SysTick counts 25 MHz
_SECONDS = 120
_LINKER = """
    ENTRY(reset)
    SECTIONS {
        . = 0x00000000;
        .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) }
        . = 0x20000000;
        .data : { *(.data*) *(.bss*) }
    }
"""
_NETWORK = """
    #include "NAME.h"
    void reset_network(NAME_state *state);
    void step_network(NAME_state *state, const float *x, float dt, float *y);
    void reset_network(NAME_state *state) { NAME_reset(state); }
    void step_network(NAME_state *state, const float *x, float dt, float *y) { NAME_step(state, x, dt, y); }
"""
_PROGRAM = r"""
    /* starts the chip, runs the golden test, and says: instructions in ticks, bytes of stack, status */
    #define main golden_test
    #include "NAME_test.c"
    #undef main
    enum { TOP = 0x20200000, PAINTED = <stack> + 4096 };

    void reset(void);
    void *memcpy(void *to, const void *from, unsigned int size);
    void *memset(void *to, int value, unsigned int size);

    static void host(int operation, const void *argument)
    {
        register int r0 __asm__("r0") = operation;
        register const void *r1 __asm__("r1") = argument;
        __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    }

    int printf(const char *format, ...) { (void)format; return 0; }

    void *memcpy(void *to, const void *from, unsigned int size)
    {
        for (volatile unsigned int k = 0; k < size; k++) ((char *)to)[k] = ((const char *)from)[k];
        return to;
    }

    void *memset(void *to, int value, unsigned int size)
    {
        for (volatile unsigned int k = 0; k < size; k++) ((char *)to)[k] = (char)value;
        return to;
    }

    static void say(unsigned int value)
    {
        char text[12] = "0000000000 ";
        for (int k = 9; k >= 0; k--, value /= 10) text[k] = (char)('0' + value % 10);
        host(4, text);
    }

    static NAME_state network;
    static float output[OUTPUTS];

    __attribute__((noinline)) static void step(int k) { NAME_step(&network, golden_x[k], golden_dt[k], output); }

    /* how far the stack grows: bytes below it are painted before a step, and those that changed are counted */
    __attribute__((noinline)) static unsigned int stack_of_a_step(void)
    {
        volatile unsigned char here = 0;
        volatile unsigned char *low = &here - PAINTED, *at;
        for (at = low; at < &here - 64; at++) *at = 0xA5;
        step(1);
        for (at = low; at < &here && *at == 0xA5; at++) {}
        return (unsigned int)(&here - at);
    }

    void reset(void)
    {
        volatile unsigned int *tick = (volatile unsigned int *)0xE000E010;
        unsigned int block[2] = {0x20026, 0}, ticks = 0, before, now;
        *(volatile unsigned int *)0xE000ED88 |= 0xFu << 20; /* the floating-point unit */
        __asm__ volatile("dsb; isb");
        tick[1] = 0xFFFFFF; tick[2] = 0; tick[0] = 5;
        NAME_reset(&network);
        before = tick[2];
        for (int k = 0; k < STEPS; k++) {
            step(k);
            now = tick[2]; ticks += (before - now) & 0xFFFFFF; before = now;
        }
        say(ticks);
        say(stack_of_a_step());
        say((unsigned int)golden_test());
        host(0x20, block);
        for (;;) {}
    }

    __attribute__((section(".vectors"), used)) static const void *const vectors[] = {(void *)TOP, (void *)reset};
"""
_HEADERS = {"stdio.h": "int printf(const char *format, ...);\n", "math.h": '#define NAN __builtin_nanf("")\n'}


class Measured(NamedTuple):
    """A network on the emulated chip."""

    passed: bool  # whether the golden test passed there
    flash: int  # bytes of code and weights, without start-up and what is shared with other programs
    stack: int  # bytes that a step takes
    instructions: int  # of a step, the mean over the golden ones
    tools: str  # versions


def on_cortex_m4(files: Mapping[str, str | bytes], name: str, steps: int, stack: int) -> Measured:
    """Return the measurement of a network's header and test, whose functions of exp and tanh are its own."""
    gcc, qemu = shutil.which(GCC), shutil.which(QEMU)
    if gcc is None or qemu is None:
        absent = " and ".join(tool for tool, found in ((GCC, gcc), (QEMU, qemu)) if found is None)
        do = "install them (Debian, Ubuntu: apt-get install gcc-arm-none-eabi qemu-system-arm), or do not measure"
        checks.refuse("measure", f"an installation without {absent}", f"{GCC} and {QEMU}", do)
    with tempfile.TemporaryDirectory() as folder:
        sources = {"network.c": fill(_NETWORK), "program.c": fill(_PROGRAM, stack=stack), "m4.ld": fill(_LINKER)}
        sources = {file: text.replace("NAME", name) for file, text in sources.items()} | _HEADERS
        sources |= {file: text for file, text in files.items() if isinstance(text, str)}
        for file, text in sources.items():
            Path(folder, file).write_text(text, encoding="utf-8")
        _run([gcc, *_CHIP, *_FREE, "-c", "network.c", "-o", "network.o"], folder)
        sizes = _run([gcc.replace("gcc", "size"), "network.o"], folder).splitlines()[1].split()
        _run([gcc, *_CHIP, *_FREE, "-T", "m4.ld", "program.c", "-lgcc", "-o", "program"], folder)
        board = [*_BOARD, "-semihosting-config", "enable=on,target=native", "-kernel", "program"]
        numbers = re.findall(r"\d{10}", _run([qemu, *board], folder))
    if len(numbers) != 3:
        checks.refuse("measure", f"a program that stops on the emulated board after {len(numbers)} of 3 numbers",
                      "a network that its 4 MB of flash and of RAM hold", "do not measure it")  # fmt: skip
    ticks, of_stack, status = map(int, numbers)
    versions = (re.search(r"\d+\.\d+(\.\d+)?", _run([tool, "--version"], ".").splitlines()[0]) for tool in (gcc, qemu))
    tools = ", ".join(f"{tool} {v[0]}" for tool, v in zip((f"{GCC} -O2", "QEMU"), versions, strict=True) if v)
    return Measured(status == 0, int(sizes[0]) + int(sizes[1]), of_stack, round(ticks * _TICK / steps), tools)


def _run(line: list[str], folder: str) -> str:
    """Return the output of a tool; refuse to measure where it fails."""
    try:
        done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        checks.refuse("measure", f"{Path(line[0]).name}, which fails ({error})", "a tool that runs", "do not measure")
    if done.returncode:
        said = next((text for text in done.stderr.splitlines() if "error" in text or "overflow" in text), "no message")
        checks.refuse("measure", f"{Path(line[0]).name}, which fails ({said})", "a tool that runs", "do not measure")
    return done.stdout + done.stderr
