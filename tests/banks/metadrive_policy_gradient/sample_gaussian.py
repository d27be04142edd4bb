# Answers to sample_gaussian: mean + exp(log_std) times independent standard normal numbers, detached.

# %% right: randn and detach
def sample_gaussian(mean, log_std, generator):
    noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype)
    return (mean + log_std.exp() * noise).detach()


# %% right: no_grad
def sample_gaussian(mean, log_std, generator):
    with torch.no_grad():
        return mean + torch.exp(log_std) * torch.randn(*mean.shape, generator=generator)


# %% right: torch.normal
@torch.no_grad()
def sample_gaussian(mean, log_std, generator):
    std = log_std.exp().expand_as(mean).to(mean.dtype)
    return torch.normal(mean, std, generator=generator)


# %% right: normal_ in place
def sample_gaussian(mean, log_std, generator):
    noise = torch.empty_like(mean, requires_grad=False).normal_(generator=generator)
    return torch.addcmul(mean.detach(), noise, log_std.detach().exp().expand_as(mean))


# %% right: a loop over the dimensions
def sample_gaussian(mean, log_std, generator):
    columns = []
    stds = log_std.exp().expand(mean.shape)
    for d in range(mean.shape[1]):
        columns.append(mean[:, d] + stds[:, d] * torch.randn(len(mean), generator=generator))
    return torch.stack(columns, dim=1).detach()


# %% right: the inverse of the distribution function
@torch.no_grad()
def sample_gaussian(mean, log_std, generator):
    uniform = torch.rand(mean.shape, generator=generator, dtype=torch.float64).clamp(1e-12, 1 - 1e-12)
    return mean + log_std.exp() * torch.special.ndtri(uniform)


# %% right: Box and Muller
@torch.no_grad()
def sample_gaussian(mean, log_std, generator):
    radius = torch.sqrt(-2 * torch.log(1 - torch.rand(mean.shape, generator=generator, dtype=torch.float64)))
    angle = 2 * np.pi * torch.rand(mean.shape, generator=generator, dtype=torch.float64)
    return mean + log_std.exp() * radius * torch.cos(angle)


# %% right: NumPy with noise from the generator
def sample_gaussian(mean, log_std, generator):
    noise = torch.randn(mean.shape, generator=generator).numpy()
    return mean.detach().numpy() + np.exp(log_std.detach().numpy()) * noise


# %% right: NumPy seeded by a number from the generator
def sample_gaussian(mean, log_std, generator):
    rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
    drawn = rng.normal(mean.detach().numpy(), log_std.detach().exp().numpy())
    return torch.from_numpy(drawn)


# %% wrong: the mean
def sample_gaussian(mean, log_std, generator):
    return mean.detach()


# %% wrong: with a gradient
def sample_gaussian(mean, log_std, generator):
    return mean + log_std.exp() * torch.randn(mean.shape, generator=generator)


# %% wrong: a gradient through the standard deviation
def sample_gaussian(mean, log_std, generator):
    return mean.detach() + log_std.exp() * torch.randn(mean.shape, generator=generator)


# %% wrong: log_std taken for the standard deviation
def sample_gaussian(mean, log_std, generator):
    return (mean + log_std * torch.randn(mean.shape, generator=generator)).detach()


# %% wrong: log_std taken for the log-variance
def sample_gaussian(mean, log_std, generator):
    return (mean + (log_std / 2).exp() * torch.randn(mean.shape, generator=generator)).detach()


# %% wrong: the variance in the place of the standard deviation
def sample_gaussian(mean, log_std, generator):
    return (mean + (2 * log_std).exp() * torch.randn(mean.shape, generator=generator)).detach()


# %% wrong: standard deviation 1
def sample_gaussian(mean, log_std, generator):
    return (mean + torch.randn(mean.shape, generator=generator)).detach()


# %% wrong: uniform noise
def sample_gaussian(mean, log_std, generator):
    noise = 2 * torch.rand(mean.shape, generator=generator) - 1
    return (mean + log_std.exp() * noise).detach()


# %% wrong: uniform noise with the right variance
def sample_gaussian(mean, log_std, generator):
    noise = 12**0.5 * (torch.rand(mean.shape, generator=generator) - 0.5)
    return (mean + log_std.exp() * noise).detach()


# %% wrong: the global random numbers
def sample_gaussian(mean, log_std, generator):
    return (mean + log_std.exp() * torch.randn_like(mean)).detach()


# %% wrong: torch.distributions, which takes no generator
def sample_gaussian(mean, log_std, generator):
    return torch.distributions.Normal(mean, log_std.exp()).sample()


# %% wrong: the global random numbers, seeded by the generator's seed
def sample_gaussian(mean, log_std, generator):
    torch.manual_seed(generator.initial_seed())
    return (mean + log_std.exp() * torch.randn_like(mean)).detach()


# %% wrong: a copy of the generator
def sample_gaussian(mean, log_std, generator):
    copied = torch.Generator()
    copied.set_state(generator.get_state())
    return (mean + log_std.exp() * torch.randn(mean.shape, generator=copied)).detach()


# %% wrong: noise of the shape of log_std
def sample_gaussian(mean, log_std, generator):
    noise = torch.randn(log_std.shape, generator=generator)
    return (mean + log_std.exp() * noise).detach()


# %% wrong: noise shared by the dimensions
def sample_gaussian(mean, log_std, generator):
    noise = torch.randn(len(mean), 1, generator=generator)
    return (mean + log_std.exp() * noise).detach()


# %% wrong: noise shared by the rows
def sample_gaussian(mean, log_std, generator):
    noise = torch.randn(1, mean.shape[1], generator=generator)
    return (mean + log_std.exp() * noise).detach()


# %% wrong: cut off at -1 and 1
def sample_gaussian(mean, log_std, generator):
    noise = torch.randn(mean.shape, generator=generator)
    return (mean + log_std.exp() * noise).detach().clamp(-1, 1)


# %% wrong: squashed by tanh
def sample_gaussian(mean, log_std, generator):
    noise = torch.randn(mean.shape, generator=generator)
    return torch.tanh(mean + log_std.exp() * noise).detach()


# %% wrong: a limit on log_std
def sample_gaussian(mean, log_std, generator):
    noise = torch.randn(mean.shape, generator=generator)
    return (mean + log_std.clamp(-0.5, 0.5).exp() * noise).detach()


# %% wrong: the noise is added twice
def sample_gaussian(mean, log_std, generator):
    noise = torch.randn(mean.shape, generator=generator) + torch.randn(mean.shape, generator=generator)
    return (mean + log_std.exp() * noise).detach()


# %% wrong: squeezes everything
def sample_gaussian(mean, log_std, generator):
    return (mean + log_std.exp() * torch.randn(mean.shape, generator=generator)).detach().squeeze()


# %% wrong: the mean is changed
def sample_gaussian(mean, log_std, generator):
    with torch.no_grad():
        mean += log_std.exp() * torch.randn(mean.shape, generator=generator)
    return mean.detach()


# %% wrong: each number around the mean of its row
def sample_gaussian(mean, log_std, generator):
    noise = torch.randn(mean.shape, generator=generator)
    return (mean.mean(-1, keepdim=True) + log_std.exp() * noise).detach()
