"""The ball: pictures of it, and noisy measurements with their exact best predictions.

A linear system with noise has an exact best predictor, the Kalman filter, so we know the line that
no network can pass (R. E. Kalman 1960, Journal of Basic Engineering 82:35-45).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_utils.tasks.base import Batch, Task, check_rng, one_hot, real_number, whole_number


def ball_pictures(
    rng: np.random.Generator, B: int, T: int, height: int = 8, width: int = 8
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw B films of a ball that flies diagonally in a box and bounces off its walls.

    Returns frames (B, T, height, width) with a single one where the ball is, position (B, T, 2) and
    velocity (B, T, 2) as (row, column); velocity is the one *after* the frame, each part -1 or 1.
    A ball at a wall that flies towards it rests there for one frame and turns. So position and
    direction stay uniform and independent, and one frame tells nothing about the direction.
    Source: slide row 1.6.

    Taught in: notebooks/01_see_why_order_matters
    """
    check_rng(rng)
    B, T = whole_number("B", B, 1), whole_number("T", T, 1)
    size = np.array([whole_number("height", height, 2), whole_number("width", width, 2)])
    # Unfold the bounces: the ball walks round a ring of 2 * size places, the second half mirrored.
    start = rng.integers(0, 2 * size, size=(B, 1, 2))
    place = (start + np.arange(T)[:, np.newaxis]) % (2 * size)
    forth = place < size
    position = np.where(forth, place, 2 * size - 1 - place)
    velocity = np.where(forth, 1, -1)
    cells = position[..., 0] * width + position[..., 1]
    frames = one_hot(cells, height * width).reshape(B, T, height, width)
    return frames, position, velocity


def moving_ball(T: int = 10, height: int = 8, width: int = 8) -> Task:
    """Make the task "where is the ball in the next picture?", asked after every picture.

    X (B, T, height * width): one picture per step, as a row. target (B, T): the cell of the ball in
    the next picture, row * width + column. Softmax cross-entropy in nats per step. One picture
    leaves four equally likely cells; two pictures leave one. Source: slide row 1.6.

    Taught in: notebooks/01_see_why_order_matters
    """
    T = whole_number("T", T, 1)

    def sample(rng, B):
        frames, position, _ = ball_pictures(rng, B, T + 1, height, width)
        cells = position[..., 0] * width + position[..., 1]
        return Batch(frames[:, :-1].reshape(B, T, height * width), cells[:, 1:])

    ball_pictures(np.random.default_rng(0), 1, 1, height, width)  # names a bad height or width
    cells, directions = height * width, 4
    one_picture = float(np.log(directions))
    return Task(
        "moving ball",
        sample,
        baseline=float(np.log(cells)),
        optimum=one_picture / T,  # the first step has one picture, all later steps have two
        unit="nats per step",
        levels={"one picture": one_picture},
        accuracies={
            "guess": 1 / cells,
            "one picture": 1 / directions,
            "best": (1 / directions + T - 1) / T,
        },
        num_inputs=cells,
        num_outputs=cells,
    )


class LinearSystem(NamedTuple):
    """Describe state' = state @ A.T + N(0, Q), measured as y = state @ c + N(0, r).

    A (S, S), Q (S, S), c (S,), r a variance, P (S, S) the covariance of the state in the long run.

    Taught in: notebooks/01_see_why_order_matters
    """

    A: np.ndarray
    Q: np.ndarray
    c: np.ndarray
    r: float
    P: np.ndarray

    def sample(self, rng: np.random.Generator, B: int, T: int) -> np.ndarray:
        """Draw B series of T measurements, (B, T), that begin in the long run.

        Taught in: notebooks/01_see_why_order_matters
        """
        S = len(self.c)
        root_P, root_Q = np.linalg.cholesky(self.P), np.linalg.cholesky(self.Q)
        state = rng.standard_normal((B, S)) @ root_P.T
        noise = rng.standard_normal((T, B, S)) @ root_Q.T
        y = np.empty((B, T))
        for t in range(T):
            y[:, t] = state @ self.c
            state = state @ self.A.T + noise[t]
        return y + np.sqrt(self.r) * rng.standard_normal((B, T))

    def autocovariance(self, lags: int) -> np.ndarray:
        """Compute E[y_t y_{t-k}] for k = 0 .. lags - 1, (lags,).

        Taught in: notebooks/01_see_why_order_matters
        """
        gamma, row = np.empty(lags), self.c
        for k in range(lags):
            gamma[k] = row @ self.P @ self.c
            row = row @ self.A
        gamma[0] += self.r
        return gamma

    def best_weights(self, k: int) -> np.ndarray:
        """Compute the weights (k,) of the best linear prediction of y_{t+1} from k measurements.

        Oldest first: prediction = y[t-k+1 : t+1] @ weights. (Yule-Walker equations.)

        Taught in: notebooks/01_see_why_order_matters
        """
        k = whole_number("k", k, 1)
        gamma = self.autocovariance(k + 1)
        toeplitz = gamma[np.abs(np.subtract.outer(np.arange(k), np.arange(k)))]
        return np.linalg.solve(toeplitz, gamma[1:])[::-1]

    def best_error(self, k: int) -> float:
        """Compute the mean squared error of the best prediction of y_{t+1} from k measurements.

        k = 0 is the variance of y. For Gaussian noise no other predictor is better.

        Taught in: notebooks/01_see_why_order_matters
        """
        if k == 0:
            return float(self.autocovariance(1)[0])
        gamma = self.autocovariance(k + 1)
        return float(gamma[0] - self.best_weights(k)[::-1] @ gamma[1:])

    def kalman_errors(self, T: int) -> np.ndarray:
        """Compute the Kalman filter's error (T,) in predicting y_t from y_0 .. y_{t-1}.

        The first is the variance of y. The filter needs T steps for what windows of growing length
        need T systems of equations for.

        Taught in: notebooks/01_see_why_order_matters
        """
        P, errors = self.P, np.empty(T)
        for t in range(T):
            errors[t] = self.c @ P @ self.c + self.r
            gain = P @ self.c / errors[t]
            P = self.A @ (P - np.outer(gain, self.c @ P)) @ self.A.T + self.Q
        return errors

    def kalman_error(self) -> float:
        """Compute the Kalman filter's error in the long run (fixed point of the Riccati equation).

        Taught in: notebooks/01_see_why_order_matters
        """
        return float(self.kalman_errors(4000)[-1])

    def kalman_predictions(self, y: np.ndarray) -> np.ndarray:
        """Predict y_{t+1} from y_0 .. y_t at every step: (B, T) -> (B, T).

        Taught in: notebooks/01_see_why_order_matters
        """
        P, state = self.P, np.zeros((len(y), len(self.c)))
        predictions = np.empty(y.shape)
        for t in range(y.shape[1]):
            gain = P @ self.c / (self.c @ P @ self.c + self.r)
            state = state + np.outer(y[:, t] - state @ self.c, gain)
            state = state @ self.A.T
            P = self.A @ (P - np.outer(gain, self.c @ P)) @ self.A.T + self.Q
            predictions[:, t] = state @ self.c
        return predictions


def pendulum(period: float = 25.0, damping: float = 0.995, noise: float = 0.5) -> LinearSystem:
    """Describe a swinging ball: it turns by 2 pi / period per step, is damped, pushed and measured.

    The state (position, velocity) turns and shrinks by `damping` in each step; small random pushes
    on both keep the variance of each at 1 in the long run (Q = (1 - damping^2) I). Only the
    position is measured, with noise of standard deviation `noise`.

    Taught in: notebooks/01_see_why_order_matters
    """
    period = real_number("period", period, 2.0, 1e6)
    damping = real_number("damping", damping, 0.0, 0.9999)
    noise = real_number("noise", noise, 0.0, 1e3)
    angle = 2 * np.pi / period
    A = damping * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    Q = (1 - damping**2) * np.eye(2)
    return LinearSystem(A, Q, np.array([1.0, 0.0]), noise**2, np.eye(2))


def noisy_ball(
    T: int = 50, period: float = 25.0, damping: float = 0.995, noise: float = 0.5
) -> Task:
    """Make the task "where is the swinging ball measured next?", asked after every measurement.

    X (B, T, 1) measurements, target (B, T, 1) the next ones; mean squared error. All limits are
    means over the T steps, the first of which have little to go by: the optimum is the Kalman
    filter's error, `levels` has windows of 1, 2, 5, 20 measurements (fewer where there are not so
    many yet). For the error of a full window, or in the long run, ask `pendulum(...)`:
    best_error(k), kalman_error().

    Taught in: notebooks/01_see_why_order_matters
    """
    return _prediction_task("noisy ball", T, pendulum(period, damping, noise), (1, 2, 5, 20))


def autoregression(T: int = 50, memory: float = 0.95, noise_variance: float = 0.5) -> Task:
    """Make the task "predict the next value" of an AR(1) series with measurement noise.

    x_t = memory x_{t-1} + push, variance 1; y_t = x_t + noise of the given variance. X (B, T, 1),
    target (B, T, 1); mean squared error. Optimum: the Kalman filter's error, mean over T steps.

    Taught in: notebooks/11_read_in_both_directions
    """
    memory = real_number("memory", memory, 0.0, 0.9999)
    noise_variance = real_number("noise_variance", noise_variance, 0.0, 1e6)
    one = np.ones((1, 1))
    system = LinearSystem(memory * one, (1 - memory**2) * one, np.ones(1), noise_variance, one)
    return _prediction_task("autoregression", T, system, (1,))


def _prediction_task(name, T, system, windows):
    T = whole_number("T", T, 1)

    def sample(rng, B):
        y = system.sample(rng, B, T + 1)[..., np.newaxis]
        return Batch(y[:, :-1], y[:, 1:])

    seen = np.arange(1, T + 1)  # measurements so far, at each step
    window = [system.best_error(k) for k in range(max(windows) + 1)]
    return Task(
        name,
        sample,
        baseline=system.best_error(0),
        optimum=system.kalman_errors(T + 1)[1:].mean(),
        unit="mean squared error",
        levels={f"last {k}": np.mean([window[min(k, t)] for t in seen]) for k in windows},
        num_inputs=1,
        num_outputs=1,
    )
