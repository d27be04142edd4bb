# Answers to sample_categorical: one action for each row, drawn from softmax(logits) with the generator.

# %% right: multinomial
def sample_categorical(logits, generator):
    probs = torch.softmax(logits.detach(), dim=-1)
    return torch.multinomial(probs, 1, generator=generator).squeeze(-1)


# %% right: multinomial without a detach
def sample_categorical(logits, generator):
    probs = nn.functional.softmax(logits, dim=1)
    return torch.multinomial(probs, num_samples=1, generator=generator)[:, 0]


# %% right: Gumbel maximum
def sample_categorical(logits, generator):
    uniform = torch.rand(logits.shape, generator=generator, dtype=torch.float64)
    return (logits - torch.log(-torch.log(uniform.clamp(min=1e-300)))).argmax(dim=-1)


# %% right: exponential race
def sample_categorical(logits, generator):
    waiting = torch.empty(logits.shape).exponential_(generator=generator)
    return (torch.softmax(logits, -1) / waiting).argmax(-1)


# %% right: inverse of the distribution function
@torch.no_grad()
def sample_categorical(logits, generator):
    cumulative = torch.softmax(logits, dim=-1).cumsum(dim=-1)
    uniform = torch.rand(len(logits), 1, generator=generator, dtype=logits.dtype)
    return torch.searchsorted(cumulative, uniform).squeeze(-1).clamp(max=logits.shape[-1] - 1)


# %% right: counts the thresholds passed
def sample_categorical(logits, generator):
    with torch.no_grad():
        thresholds = torch.softmax(logits, -1).cumsum(-1)[:, :-1]
        return (torch.rand(logits.shape[0], 1, generator=generator) > thresholds).sum(-1)


# %% right: a loop over the rows
def sample_categorical(logits, generator):
    actions = []
    for row in logits.detach().softmax(-1):
        actions.append(torch.multinomial(row, 1, generator=generator).item())
    return torch.tensor(actions)


# %% right: NumPy with uniforms from the generator
def sample_categorical(logits, generator):
    z = logits.detach().numpy().astype(float)
    p = np.exp(z - z.max(1, keepdims=True))
    cumulative = np.cumsum(p / p.sum(1, keepdims=True), axis=1)
    uniform = torch.rand(len(z), 1, generator=generator, dtype=torch.float64).numpy()
    return torch.from_numpy(np.minimum((uniform > cumulative).sum(1), z.shape[1] - 1))


# %% right: a list of integers
def sample_categorical(logits, generator):
    probs = torch.softmax(logits, -1)
    return torch.multinomial(probs, 1, generator=generator).flatten().tolist()


# %% right: seeded anew by a number from the generator
def sample_categorical(logits, generator):
    seed = int(torch.randint(2**62, (), generator=generator))
    rng = np.random.default_rng(seed)
    return torch.as_tensor((logits.detach().numpy() + rng.gumbel(size=logits.shape)).argmax(1))


# %% wrong: the likeliest action
def sample_categorical(logits, generator):
    return logits.argmax(dim=-1)


# %% wrong: uniform
def sample_categorical(logits, generator):
    return torch.randint(logits.shape[-1], (len(logits),), generator=generator)


# %% wrong: the global random numbers
def sample_categorical(logits, generator):
    return torch.multinomial(torch.softmax(logits, -1), 1).squeeze(-1)


# %% wrong: torch.distributions, which takes no generator
def sample_categorical(logits, generator):
    return torch.distributions.Categorical(logits=logits).sample()


# %% wrong: the global random numbers, seeded by the generator's seed
def sample_categorical(logits, generator):
    torch.manual_seed(generator.initial_seed())
    return torch.distributions.Categorical(logits=logits).sample()


# %% wrong: a generator of its own
def sample_categorical(logits, generator):
    own = torch.Generator().manual_seed(generator.initial_seed())
    return torch.multinomial(torch.softmax(logits, -1), 1, generator=own).squeeze(-1)


# %% wrong: a copy of the generator
def sample_categorical(logits, generator):
    copied = torch.Generator()
    copied.set_state(generator.get_state())
    return torch.multinomial(torch.softmax(logits, -1), 1, generator=copied).squeeze(-1)


# %% wrong: always the same generator
def sample_categorical(logits, generator):
    return torch.multinomial(torch.softmax(logits, -1), 1, generator=generator.manual_seed(0)).squeeze(-1)


# %% wrong: one uniform number for all rows
def sample_categorical(logits, generator):
    thresholds = torch.softmax(logits, -1).cumsum(-1)[:, :-1]
    return (torch.rand(1, generator=generator) > thresholds).sum(-1)


# %% wrong: the first row for all
def sample_categorical(logits, generator):
    probs = torch.softmax(logits[0], -1)
    return torch.multinomial(probs, len(logits), replacement=True, generator=generator)


# %% wrong: the mean of the rows
def sample_categorical(logits, generator):
    probs = torch.softmax(logits, -1).mean(0)
    return torch.multinomial(probs, len(logits), replacement=True, generator=generator)


# %% wrong: softmax over the batch
def sample_categorical(logits, generator):
    probs = torch.softmax(logits, dim=0)
    return torch.multinomial(probs, 1, generator=generator).squeeze(-1)


# %% wrong: softmax twice
def sample_categorical(logits, generator):
    probs = torch.softmax(torch.softmax(logits, -1), -1)
    return torch.multinomial(probs, 1, generator=generator).squeeze(-1)


# %% wrong: probabilities proportional to the logits
def sample_categorical(logits, generator):
    probs = logits - logits.min(dim=-1, keepdim=True).values + 1e-6
    return torch.multinomial(probs, 1, generator=generator).squeeze(-1)


# %% wrong: too cold
def sample_categorical(logits, generator):
    return torch.multinomial(torch.softmax(2 * logits, -1), 1, generator=generator).squeeze(-1)


# %% wrong: too hot
def sample_categorical(logits, generator):
    return torch.multinomial(torch.softmax(logits / 1.5, -1), 1, generator=generator).squeeze(-1)


# %% wrong: the sign turned
def sample_categorical(logits, generator):
    return torch.multinomial(torch.softmax(-logits, -1), 1, generator=generator).squeeze(-1)


# %% wrong: explores in a tenth of the rows
def sample_categorical(logits, generator):
    drawn = torch.multinomial(torch.softmax(logits, -1), 1, generator=generator).squeeze(-1)
    other = torch.randint(logits.shape[-1], drawn.shape, generator=generator)
    return torch.where(torch.rand(drawn.shape, generator=generator) < 0.1, other, drawn)


# %% wrong: a column
def sample_categorical(logits, generator):
    return torch.multinomial(torch.softmax(logits, -1), 1, generator=generator)


# %% wrong: squeezes everything
def sample_categorical(logits, generator):
    return torch.multinomial(torch.softmax(logits, -1), 1, generator=generator).squeeze()


# %% wrong: floats
def sample_categorical(logits, generator):
    return torch.multinomial(torch.softmax(logits, -1), 1, generator=generator).squeeze(-1).float()


# %% wrong: one-hot
def sample_categorical(logits, generator):
    drawn = torch.multinomial(torch.softmax(logits, -1), 1, generator=generator).squeeze(-1)
    return nn.functional.one_hot(drawn, logits.shape[-1])


# %% wrong: actions counted from one
def sample_categorical(logits, generator):
    return torch.multinomial(torch.softmax(logits, -1), 1, generator=generator).squeeze(-1) + 1


# %% wrong: numpy before detach
def sample_categorical(logits, generator):
    z = torch.from_numpy(logits.numpy())
    return torch.multinomial(torch.softmax(z, -1), 1, generator=generator).squeeze(-1)


# %% wrong: the logits are changed
def sample_categorical(logits, generator):
    with torch.no_grad():
        logits -= logits.logsumexp(-1, keepdim=True)
        return torch.multinomial(logits.exp(), 1, generator=generator).squeeze(-1)
