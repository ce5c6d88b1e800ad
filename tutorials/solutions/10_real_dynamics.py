# Solutions to the exercises of 10_real_dynamics.ipynb. They are about CfC cells, Eq. 4, and the notebook's stand-in.

# %% The stand-in of the notebook, thinned and cut
import numpy as np

from cfc_ref import CfC, fit
from cfc_ref.learn import Adam, Exponential


def stand_in(recordings, rows, rng):
    step, parts, lag = 0.02, 4, np.linspace(0, 2 * np.pi, 8, endpoint=False)
    angle, speed = rng.normal(0, 0.3, (recordings, 8)), rng.normal(0, 1, (recordings, 8))
    phase, rate = rng.uniform(0, 2 * np.pi, (recordings, 1)), rng.uniform(3, 5, (recordings, 1))
    push, slow = rng.normal(0, 1, (recordings, 8)), np.zeros(recordings)
    observed = np.empty((recordings, rows, 17))
    for row in range(rows):
        push = 0.9 * push + 0.44 * rng.normal(size=push.shape)
        for _ in range(parts):
            phase = phase + step * rate
            pull = 12 * (np.sin(np.roll(angle, 1, axis=1) - angle) + np.sin(np.roll(angle, -1, axis=1) - angle))
            speed = speed + step * (-20 * np.sin(angle) + pull - 0.3 * speed + 14 * np.sin(phase + lag) + 6 * push)
            angle = angle + step * speed
            speed = np.where((np.abs(angle) > 0.6) & (speed * angle > 0), -0.5 * speed, speed)
            angle = np.clip(angle, -0.6, 0.6)
            slow = slow + step * (np.abs(speed[:, :2]).mean(axis=1) - slow)
        observed[:, row] = np.column_stack([angle, slow, np.clip(speed, -10, 10)])
    return observed.astype(np.float32)


def windows(recordings, keep, rng, steps=64, columns=17):
    cut = []
    for rows in recordings[:, :, :columns]:
        stays = np.flatnonzero(rng.random(len(rows) - 1) < keep)
        spans = np.diff(stays, prepend=-1).astype(np.float32)
        for first in range(0, len(stays) - steps, 16):
            which = stays[first : first + steps]
            cut.append((rows[which], rows[which + 1], spans[first : first + steps]))
    return [np.stack(part) for part in zip(*cut, strict=True)]


def train(x, y, spans=None, epochs=8):
    width = x.shape[2]
    network = CfC(width, 64, proj_size=width, activation="silu", backbone_units=64, variant="tensorflow", seed=0)
    settings = {"epochs": epochs, "batch_size": 64, "schedule": Exponential(0.8), "seed": 0, "progress": False}
    fit(network, (x, y, spans), loss="mse", optimizer=Adam(0.02), clip=1.0, **settings)
    return network


def squared(network, x, y, spans=None):
    return np.square(network(x, timespans=spans)[0] - y, dtype=float)


recordings = stand_in(400, 200, np.random.default_rng(0))
learn, test = recordings[:340], recordings[340:]

# %% Exercise 1: positions only
rng = np.random.default_rng(1)
few, few_test = windows(learn, 0.5, rng, 48, 8), windows(test, 0.5, rng, 48, 8)
with_times = squared(train(*few), *few_test)
without = squared(train(*few[:2]), *few_test[:2])
gap = few_test[2] > 1
print("1: error with and without times, relative to persistence")
still = np.square(few_test[0] - few_test[1], dtype=float)
for name, which in (("everywhere", gap >= 0), ("after a gap", gap), ("no gap", ~gap)):
    print(
        f"- {name}: " + ", ".join(f"{error[which].mean() / still[which].mean():.2f}" for error in (with_times, without))
    )
# A velocity is a difference of positions divided by the time between them: without the time it is wrong by a factor.
assert with_times.mean() < 0.95 * without.mean()

# %% Exercise 2: changes
x, y, spans = windows(learn, 0.9, rng)
tx, ty, tspans = windows(test, 0.9, rng)
plain, changes = train(x, y, spans), train(x, y - x, spans)
by_plain = squared(plain, tx, ty, tspans).mean(axis=(0, 1))
by_changes = squared(changes, tx, ty - tx, tspans).mean(axis=(0, 1))
groups = {"positions": slice(0, 8), "slow column": slice(8, 9), "velocities": slice(9, 17)}
ratio = {name: by_changes[which].mean() / by_plain[which].mean() for name, which in groups.items()}
print("2: error of the change over that of the value:", {name: f"{value:.2f}" for name, value in ratio.items()})
# A network that says 0 is persistence then. Where persistence is good, little is left: in the slow column above all.
assert ratio["slow column"] < 0.5
assert ratio["positions"] < 1

# %% Exercise 3: noise on the inputs
spread = x.std(axis=(0, 1))
noisy = train(x + (0.2 * spread * rng.normal(size=x.shape)).astype(np.float32), y, spans)


def open_loop(network, start, ahead):
    output, state = network(start)
    forecast = [output[:, -1]]
    for _ in range(ahead - 1):
        output, state = network(forecast[-1][:, None], state)
        forecast.append(output[:, -1])
    return np.stack(forecast, axis=1)


loops = {
    name: np.square(open_loop(network, test[:, :40], 24) - test[:, 40:64], dtype=float).mean(axis=(0, 2))
    for name, network in (("plain", plain), ("noisy", noisy))
}
for name, error in loops.items():
    print(f"3: {name}: error 1, 8 and 24 steps ahead {error[0]:.2f}, {error[7]:.2f}, {error[23]:.2f}")
# Its own answers are inputs with errors, which the plain network has never seen, and the noisy one has: it trusts an
# observation less. For some steps that helps; 24 steps ahead neither knows anything, and both are worse than the mean.
assert loops["noisy"][0] > loops["plain"][0]
assert loops["noisy"][4:12].mean() < loops["plain"][4:12].mean()
