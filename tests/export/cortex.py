"""``python -m tests.export.cortex``: generated C on an emulated Cortex-M4: golden outputs, flash and instructions."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from cfc_ref import LTC, CfC, export_c, wirings

GCC, QEMU = shutil.which("arm-none-eabi-gcc"), shutil.which("qemu-system-arm")
MODELS = {
    "CfC": lambda: CfC(3, wirings.AutoNCP(12, 1), seed=0),
    "LTC": lambda: LTC(3, wirings.AutoNCP(12, 1), seed=0),
}
CHIP = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
STEPS = 256
_TICK = 40  # instructions: with -icount shift=0 one takes 1 ns, and the board's SysTick counts 25 MHz
_LINKER = """
ENTRY(reset)
SECTIONS {
    . = 0x00000000;
    .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) }
    . = 0x20000000;
    .data : { *(.data*) *(.bss*) }
}
"""
_START = r"""
int main(void);
void reset(void);
void say(const char *text);
void *memcpy(void *to, const void *from, unsigned int size);
void *memset(void *to, int value, unsigned int size);
int printf(const char *format, ...);

static void host(int operation, const void *argument)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

void say(const char *text) { host(4, text); }
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

void reset(void)
{
    unsigned int block[2] = {0x20026, 0};
    *(volatile unsigned int *)0xE000ED88 |= 0xFu << 20; /* the floating-point unit */
    __asm__ volatile("dsb; isb");
    block[1] = (unsigned int)main();
    host(0x20, block);
    for (;;) {}
}

__attribute__((section(".vectors"), used)) static const void *const vectors[] = {(void *)0x20100000, (void *)reset};
"""
_COUNT = r"""
#include "n.h"
void say(const char *text);
int main(void)
{
    static float x[n_INPUTS], y[n_OUTPUTS];
    char text[12] = "0000000000\n";
    n_state state;
    unsigned int ticks = 0, before, now;
    volatile unsigned int *tick = (volatile unsigned int *)0xE000E010;
    tick[1] = 0xFFFFFF; tick[2] = 0; tick[0] = 5;
    n_reset(&state);
    before = tick[2];
    for (int k = 0; k < %d; k++) {
        x[0] = (float)(k %% 7) - 3.0f;
        n_step(&state, x, 0.7f, y);
        now = tick[2]; ticks += (before - now) & 0xFFFFFF; before = now;
    }
    for (int k = 9; k >= 0; k--, ticks /= 10) text[k] = (char)('0' + ticks %% 10);
    say(text);
    return 0;
}
"""


def build(folder, source, program):
    """Compile a program without any library but GCC's own arithmetic."""
    line = [GCC, "-std=c99", *CHIP, "-O2", "-ffreestanding", "-nostdlib", "-I.", "-T", "m4.ld", source, "start.c"]
    subprocess.run([*line, "-lgcc", "-o", program], cwd=folder, check=True)


def run(folder, program):
    """Return the exit status and the output of a program on the emulated board."""
    line = [QEMU, "-M", "mps2-an386", "-icount", "shift=0", "-nographic", "-monitor", "none", "-serial", "none"]
    line += ["-semihosting-config", "enable=on,target=native", "-kernel", program]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def measured(model, folder):
    """Return the status of the golden test, bytes of code, of weights and of state, and instructions per step."""
    header = export_c(model, folder, "n", math="own").read_text(encoding="utf-8")
    for name, text in (("m4.ld", _LINKER), ("start.c", _START), ("count.c", _COUNT % STEPS)):
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "stdio.h").write_text("int printf(const char *format, ...);\n", encoding="utf-8")
    build(folder, "n_test.c", "golden.elf")
    status, _ = run(folder, "golden.elf")
    build(folder, "count.c", "count.elf")
    _, said = run(folder, "count.elf")
    size = subprocess.run(
        [GCC.replace("gcc", "size"), "count.elf"], cwd=folder, check=True, capture_output=True, text=True
    )
    weights, state = (
        int(n.replace(",", "")) for n in re.search(r"([\d,]+) bytes of weights, ([\d,]+)", header).groups()
    )
    code = int(size.stdout.splitlines()[1].split()[0]) - weights
    return status, code, weights, state, int(re.search(r"\d{10}", said)[0]) * _TICK / STEPS


if __name__ == "__main__":
    for name, make in MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            status, code, weights, state, count = measured(make(), Path(folder))
        bytes_of = f"bytes: code with start-up {code:,}, weights {weights:,}, state {state}"
        passed = "passed" if status == 0 else "FAILED"
        print(f"{name} AutoNCP(12, 1): {passed}; {bytes_of}; {count:,.0f} instructions per step")  # noqa: T201
