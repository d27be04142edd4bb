"""highway-env's straight highway, the same to the last bit in a fraction of the time.

highway-env looks for a car's neighbours, for collisions, and for what a car sees, in all pairs of cars, and
moves each car by itself, in Python. On a straight road nearly all pairs are too far apart to matter, sorting
the cars by position finds the others, and all cars can be steered and moved at once, as arrays.
"""

from __future__ import annotations

from bisect import bisect_left

import gymnasium as gym
import numpy as np
from highway_env import utils
from highway_env.envs.common.observation import OccupancyGridObservation
from highway_env.envs.highway_env import HighwayEnv, HighwayEnvFast
from highway_env.road.road import LaneIndex, Road
from highway_env.vehicle.behavior import IDMVehicle
from highway_env.vehicle.controller import ControlledVehicle, MDPVehicle
from highway_env.vehicle.kinematics import Vehicle

__all__ = ["QuickHighway", "QuickHighwayFast", "StraightRoad"]

_PLAIN = {Vehicle, ControlledVehicle, MDPVehicle, IDMVehicle}  # how they move is known


class _Moment:
    """All vehicles of a road as arrays, at a moment at which nobody moves: entry i is vehicle i."""

    def __init__(self, vehicles: list[Vehicle], lanes: list) -> None:
        self.vehicles, self.lanes = vehicles, lanes
        self.number = {id(car): i for i, car in enumerate(vehicles)}
        self.x, self.y = np.array([car.position for car in vehicles]).T
        self.speed = np.array([car.speed for car in vehicles], float)
        self.heading = np.array([car.heading for car in vehicles], float)
        targets = np.array([getattr(car, "target_speed", 0) for car in vehicles], float)
        self.target_speed = np.clip(targets, 0, np.array([car.lane.speed_limit for car in vehicles]))
        self.delta = np.array([getattr(car, "DELTA", 0) for car in vehicles], float)
        self.direction = np.stack([np.cos(self.heading), np.sin(self.heading)], axis=1)
        self.velocity = self.speed[:, None] * self.direction
        order = np.argsort(self.x, kind="stable")
        self.on_lane = []  # for each lane the cars on it, from the last to the first: positions, numbers
        for lane in lanes:
            on = np.abs(self.y - lane.start[1]) <= lane.width / 2 + 1
            on &= (self.x >= -lane.VEHICLE_LENGTH) & (self.x < lane.length + lane.VEHICLE_LENGTH)
            cars = order[on[order]]
            self.on_lane.append((self.x[cars].tolist(), cars.tolist()))

    def neighbours(self, i: int, lane: int) -> tuple[int | None, int | None]:
        """The next car in front of car i on a lane, and the next one behind it."""
        positions, cars = self.on_lane[lane]
        here = bisect_left(positions, self.x[i])
        front = next((car for car in cars[here : here + 2] if car != i), None)
        return front, cars[here - 1] if here else None

    def acceleration(self, models: np.ndarray, cars: np.ndarray, fronts: np.ndarray) -> np.ndarray:
        """IDMVehicle.acceleration of `cars` behind `fronts` (-1: nobody), with the exponents of `models`."""
        speed = self.speed[cars]
        share = np.maximum(speed, 0) / np.abs(_not_zero(self.target_speed[cars]))
        found = IDMVehicle.COMFORT_ACC_MAX * (1 - np.power(share, self.delta[models]))
        behind = fronts >= 0
        cars, fronts, speed = cars[behind], fronts[behind], speed[behind]
        # np.dot may round its sum otherwise than NumPy's own multiplications and additions would
        pairs = zip(self.velocity[cars] - self.velocity[fronts], self.direction[cars], strict=True)
        closing = np.array([np.dot(*pair) for pair in pairs])
        brakes = 2 * np.sqrt(-IDMVehicle.COMFORT_ACC_MAX * IDMVehicle.COMFORT_ACC_MIN)
        gap = IDMVehicle.DISTANCE_WANTED + speed * IDMVehicle.TIME_WANTED + speed * closing / brakes
        distance = _not_zero(self.x[fronts] - self.x[cars])
        found[behind] -= IDMVehicle.COMFORT_ACC_MAX * np.power(gap / distance, 2)
        return found

    def recommends(self, i: int, lane: int) -> bool:
        """IDMVehicle.mobil: should car i, without a route, change to this lane?"""
        front, rear = (-1 if car is None else car for car in self.neighbours(i, lane))
        here = self.vehicles[i].lane_index[2]
        now = self.neighbours(i, here)[0]
        now = -1 if now is None else now
        cars, fronts = np.array([rear, i, i]), np.array([i, front, now])
        imposed, then, before = self.acceleration(np.full(3, i), cars, fronts)
        if rear >= 0 and imposed < -IDMVehicle.LANE_CHANGE_MAX_BRAKING_IMPOSED:
            return False
        return not then - before < IDMVehicle.LANE_CHANGE_MIN_ACC_GAIN

    def steering(self, cars: np.ndarray, lateral: np.ndarray) -> np.ndarray:
        """ControlledVehicle.steering_control towards a lane whose centre is `lateral` metres away."""
        speed, car = _not_zero(self.speed[cars]), ControlledVehicle
        command = np.arcsin(np.clip(-car.KP_LATERAL * lateral / speed, -1, 1))
        heading = 0.0 + np.clip(command, -np.pi / 4, np.pi / 4)
        rate = car.KP_HEADING * utils.wrap_to_pi(heading - self.heading[cars])
        slip = np.arcsin(np.clip(car.LENGTH / 2 / speed * rate, -1, 1))
        return np.clip(np.arctan(2 * np.tan(slip)), -car.MAX_STEERING_ANGLE, car.MAX_STEERING_ANGLE)


def _not_zero(x: np.ndarray, eps: float = 1e-2) -> np.ndarray:
    """highway-env's not_zero, for arrays."""
    return np.where(np.abs(x) > eps, x, np.where(x >= 0, eps, -eps))


class StraightRoad(Road):
    """A road of lanes with a speed limit, along the x axis from x = 0 on, without obstacles."""

    def act(self) -> None:
        self._now = now = _Moment(self.vehicles, self.network.lanes_list())
        drivers = []
        for i, car in enumerate(self.vehicles):
            if type(car) is not IDMVehicle:
                car.act()
            elif not car.crashed:
                self._choose_lane(i, car)
                drivers.append(i)
        cars = np.array(drivers, int)
        lane = np.array([self.vehicles[i].lane_index[2] for i in drivers], int)
        target = np.array([self.vehicles[i].target_lane_index[2] for i in drivers], int)
        centres = np.array([straight.start[1] for straight in now.lanes])
        steering = now.steering(cars, now.y[cars] - centres[target])
        acceleration = now.acceleration(cars, cars, self._fronts(drivers, lane))
        between = lane != target
        if between.any():  # whoever changes lane minds both
            some = cars[between]
            other = now.acceleration(some, some, self._fronts(some.tolist(), target[between]))
            acceleration[between] = np.minimum(acceleration[between], other)
        acceleration = np.clip(acceleration, -IDMVehicle.ACC_MAX, IDMVehicle.ACC_MAX)
        for i, wheel, pedal in zip(drivers, steering.tolist(), acceleration.tolist(), strict=True):
            self.vehicles[i].action = {"steering": wheel, "acceleration": pedal}

    def _fronts(self, cars: list[int], lanes: np.ndarray) -> np.ndarray:
        found = (self._now.neighbours(i, k)[0] for i, k in zip(cars, lanes.tolist(), strict=True))
        return np.array([-1 if front is None else front for front in found], int)

    def _choose_lane(self, i: int, car: IDMVehicle) -> None:
        """What IDMVehicle.act does first: it may set car.target_lane_index."""
        if self._now.x[i] > car.lane.length - car.lane.VEHICLE_LENGTH / 2:
            car.follow_road()
        if not car.enable_lane_change:
            return
        if car.lane_index != car.target_lane_index or car.route:
            car.change_lane_policy()
            return
        if not utils.do_every(car.LANE_CHANGE_DELAY, car.timer):
            return
        car.timer = 0
        for lane_index in self.network.side_lanes(car.lane_index):
            if not self.network.get_lane(lane_index).is_reachable_from(car.position) or abs(car.speed) < 1:
                continue
            if self._now.recommends(i, lane_index[2]):
                car.target_lane_index = lane_index

    def neighbour_vehicles(
        self, vehicle: Vehicle, lane_index: LaneIndex | None = None
    ) -> tuple[Vehicle | None, Vehicle | None]:
        """As Road's: the next vehicle in front of `vehicle` on this lane, and the next one behind it."""
        lane = (lane_index or vehicle.lane_index)[2]
        found = self._now.neighbours(self._now.number[id(vehicle)], lane)
        return tuple(None if i is None else self.vehicles[i] for i in found)

    def step(self, dt: float) -> None:
        """As Road's: move everybody, then find the collisions, among those who are near enough."""
        if self.record_history or not {type(car) for car in self.vehicles} <= _PLAIN:
            for vehicle in self.vehicles:
                vehicle.step(dt)
        else:
            self._move(dt)
        x = np.array([vehicle.position[0] for vehicle in self.vehicles])
        reach = np.array([vehicle.diagonal + max(vehicle.speed, 0) * dt for vehicle in self.vehicles])
        near = np.abs(x[:, None] - x) <= reach[:, None] + 0.1
        for i, j in zip(*np.nonzero(np.triu(near, k=1)), strict=True):
            self.vehicles[i].handle_collisions(self.vehicles[j], dt)

    def _move(self, dt: float) -> None:
        """Vehicle.step and IDMVehicle.step of all vehicles."""
        cars = self.vehicles
        for car in cars:
            car.clip_actions()
        wheel, pedal = np.array([(car.action["steering"], car.action["acceleration"]) for car in cars]).T
        heading, speed = np.array([(car.heading, car.speed) for car in cars], float).T
        beta = np.arctan(1 / 2 * np.tan(wheel))
        course = np.stack([np.cos(heading + beta), np.sin(heading + beta)], axis=1)
        positions = np.array([car.position for car in cars]) + speed[:, None] * course * dt
        for i, car in enumerate(cars):
            if car.impact is not None:
                positions[i] += car.impact
                car.crashed, car.impact = True, None
        heading = heading + speed * np.sin(beta) / (Vehicle.LENGTH / 2) * dt
        speed = speed + pedal * dt
        closest = self._closest_lanes(positions, heading)
        for i, car in enumerate(cars):
            car.position, car.heading, car.speed = positions[i], heading[i], speed[i]
            car.lane_index, car.lane = closest[i]
            if type(car) is IDMVehicle:
                car.timer += dt

    def _closest_lanes(self, positions: np.ndarray, heading: np.ndarray) -> list[tuple[LaneIndex, object]]:
        """RoadNetwork.get_closest_lane_index of all vehicles, with the lanes."""
        (begin, ends), *_ = self.network.graph.items()
        (end, lanes), *_ = ends.items()
        x, y = positions.T
        away = np.abs(y[:, None] - np.array([lane.start[1] for lane in lanes]))
        beyond, before = np.maximum(x - lanes[0].length, 0), np.maximum(0 - x, 0)
        angle = np.abs(utils.wrap_to_pi(heading - lanes[0].heading))
        distance = away + beyond[:, None] + before[:, None] + 1.0 * angle[:, None]
        return [((begin, end, k), lanes[k]) for k in distance.argmin(axis=1).tolist()]


class _Nearby(OccupancyGridObservation):
    """The occupancy grid, made from the vehicles that can lie in it, without a table of pandas."""

    def observe(self) -> np.ndarray:
        road = self.env.road
        if road is None:
            return super().observe()
        everybody, x = road.vehicles, self.observer_vehicle.position[0]
        reach = np.abs(self.grid_size).max() * np.sqrt(2)  # whichever way the grid is turned
        near = [vehicle for vehicle in everybody if abs(vehicle.position[0] - x) <= reach]
        if self.features_range and not self.absolute and not self.as_image and "on_road" not in self.features:
            return self._grid_of(near)
        road.vehicles = near
        try:
            return super().observe()
        finally:
            road.vehicles = everybody

    def _grid_of(self, vehicles: list[Vehicle]) -> np.ndarray:
        self.grid.fill(np.nan)
        for vehicle in reversed(vehicles):
            seen = vehicle.to_dict(self.observer_vehicle)
            for feature, limits in self.features_range.items():
                if feature in seen:
                    seen[feature] = utils.lmap(seen[feature], limits, [-1, 1])
            place = [seen[axis] for axis in "xy"]
            for k, axis in enumerate("xy"):
                if axis in self.features_range:
                    place[k] = utils.lmap(place[k], [-1, 1], self.features_range[axis])
            i, j = self.pos_to_index(place, relative=True)
            if 0 <= i < self.grid.shape[1] and 0 <= j < self.grid.shape[2]:
                self.grid[:, i, j] = [seen.get(feature, np.nan) for feature in self.features]
        shown = np.clip(self.grid, -1, 1) if self.clip else self.grid
        return np.nan_to_num(shown).astype(np.float32)


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
