# Answers to log_policy: log-softmax over the last axis.

# %% right: the library's function
def log_policy(outputs):
    return torch.log_softmax(outputs, dim=-1)


# %% right: functional, by the number of the axis
def log_policy(outputs):
    return nn.functional.log_softmax(outputs, outputs.dim() - 1)


# %% right: the logits of a distribution
def log_policy(outputs):
    return Categorical(logits=outputs).logits


# %% right: by hand, with the maximum taken out
def log_policy(outputs):
    shifted = outputs - outputs.max(dim=-1, keepdim=True).values
    return shifted - shifted.exp().sum(dim=-1, keepdim=True).log()


# %% right: row by row
def log_policy(outputs):
    rows = outputs.reshape(-1, outputs.shape[-1])
    result = [row - torch.logsumexp(row, 0) for row in rows]
    return torch.stack(result).reshape(outputs.shape)


# %% right: a module
def log_policy(outputs):
    return nn.LogSoftmax(dim=-1)(outputs)


# %% right: logaddexp over the actions
def log_policy(outputs):
    total = outputs[..., 0]
    for action in range(1, outputs.shape[-1]):
        total = torch.logaddexp(total, outputs[..., action])
    return outputs - total[..., None]


# %% wrong: the broken one
def log_policy(outputs):
    exponentials = torch.exp(outputs - outputs.max(dim=-1, keepdim=True).values)
    probabilities = exponentials / exponentials.sum(dim=-1, keepdim=True)
    return torch.log_softmax(probabilities, dim=-1)


# %% wrong: the logarithm of softmax, which is infinite for large outputs
def log_policy(outputs):
    return torch.softmax(outputs, dim=-1).log()


# %% wrong: without taking out the maximum
def log_policy(outputs):
    return outputs - outputs.exp().sum(dim=-1, keepdim=True).log()


# %% wrong: probabilities
def log_policy(outputs):
    return torch.softmax(outputs, dim=-1)


# %% wrong: over the first axis
def log_policy(outputs):
    return torch.log_softmax(outputs, dim=0)


# %% wrong: over all axes
def log_policy(outputs):
    return outputs - torch.logsumexp(outputs.flatten(), 0)


# %% wrong: no normalisation
def log_policy(outputs):
    return outputs - outputs.max(dim=-1, keepdim=True).values


# %% wrong: the normaliser is a constant
def log_policy(outputs):
    return outputs - torch.logsumexp(outputs.detach(), dim=-1, keepdim=True)


# %% wrong: the outputs are taken for probabilities
def log_policy(outputs):
    return (outputs / outputs.sum(dim=-1, keepdim=True)).log()


# %% wrong: a small number for safety
def log_policy(outputs):
    return torch.log(torch.softmax(outputs, dim=-1) + 1e-3)


# %% wrong: no gradient
def log_policy(outputs):
    return torch.log_softmax(outputs.detach(), dim=-1)


# %% wrong: negative
def log_policy(outputs):
    return -torch.log_softmax(outputs, dim=-1)


# %% wrong: logits of the opposite sign
def log_policy(outputs):
    return torch.log_softmax(-outputs, dim=-1)


# %% wrong: outputs kept within bounds
def log_policy(outputs):
    return torch.log_softmax(outputs.clamp(-5, 5), dim=-1)


# %% wrong: a logarithm to base two
def log_policy(outputs):
    return torch.log_softmax(outputs, dim=-1) / np.log(2)


# %% wrong: sigmoids
def log_policy(outputs):
    return nn.functional.logsigmoid(outputs)


# %% wrong: single precision fixed
def log_policy(outputs):
    return torch.log_softmax(outputs.float(), dim=-1)


# %% wrong: in place
def log_policy(outputs):
    with torch.no_grad():
        outputs -= outputs.max(dim=-1, keepdim=True).values
    return torch.log_softmax(outputs, dim=-1)


# %% wrong: no return statement
def log_policy(outputs):
    torch.log_softmax(outputs, dim=-1)
