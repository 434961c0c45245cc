def config():
    """The sizes and parts of the model, and the recipe if there is one."""
    with open(os.path.join(FOLDER, "config.json")) as file:
        return json.load(file)


def load(weights="model.pt"):
    """The model with the weights of a file in its folder."""
    model = Model(config()["model"])
    model.load_state_dict(torch.load(os.path.join(FOLDER, weights)))
    return model.eval()
