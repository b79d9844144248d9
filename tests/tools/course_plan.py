"""The plan of the course: the rows of the two slide decks, and the notebooks that teach them."""

NOTEBOOKS = (
    "00_start_here",
    "01_see_why_order_matters",
    "02_run_a_vanilla_rnn",
    "03_backpropagate_through_time",
    "04_watch_gradients_vanish",
    "05_build_the_forget_gate",
    "06_build_the_input_gate",
    "07_build_the_output_gate",
    "08_train_the_lstm",
    "09_use_lstm_layers_in_keras",
    "10_stack_lstm_layers",
    "11_read_in_both_directions",
    "12_streamline_to_a_gru",
    "13_choose_a_network",
)

ROWS = {
    "1.1": "An RNN processes sequences; its memory lets earlier inputs influence the output",
    "1.2": "Structure: a recurrent neuron with a hidden state, hidden layers, an output layer",
    "1.3": "Components: input layer, recurrent layers, hidden state, output layer",
    "1.4": "Sequence processing: input and previous state give the output and the new state",
    "1.5": "Backpropagation through time: unroll over time, compute gradients",
    "1.6": "The ball: one picture, or several, and where it goes next",
    "1.7": "Neurons with recurrence; feed-forward networks revisited",
    "1.8": "A recurrence relation: the same function and parameters at every step",
    "1.9": "The computational graph across time, with the same weights at every step",
    "1.10": "Design criteria: variable length, long-term dependencies, order, shared parameters",
    "1.11": "Long-term dependencies: many small numbers are multiplied",
    "1.12": "LSTM: remembers for long periods; language, time series, speech",
    "1.13": "Key concepts: cell state, gates, partially uninterrupted gradient flow",
    "1.14": "Structure of the LSTM cell and the equations of its gates",
    "1.15": "The memory cell keeps its state and controls read, write and forget",
    "1.16": "What the input, forget and output gates do; selective updates",
    "1.17": "Training stability: vanishing and exploding gradients",
    "1.18": "Stronger learning: language modelling, translation, time series forecasting",
    "1.19": "Applications: translation, language, speech recognition, image captioning",
    "2.1": "Cells with recurrent loops",
    "2.2": "The hidden state passes over the loop and keeps information",
    "2.3": "BPTT: vanishing or exploding gradients; short-term memory",
    "2.4": "A long customer review: what must be remembered to judge it",
    "2.5": "Text as sequences: a dog bit Dr. Martinez",
    "2.6": "LSTM: a type of RNN that lets information persist",
    "2.7": "Sigmoid and its derivative, as code",
    "2.8": "tanh and its derivative, as code",
    "2.9": "An LSTM neuron is composed of several operations",
    "2.10": "The forget gate",
    "2.11": "The input gate, the input node, and the new cell state",
    "2.12": "The output gate and the new hidden state",
    "2.13": "Several LSTM neurons form a layer",
    "2.14": "Stacked LSTM layers",
    "2.15": "Bidirectional LSTM: past and future context",
    "2.16": "GRU: a streamlined LSTM",
}

PLAN = {  # number of a notebook -> the rows that it must teach
    "00": (),
    "01": ("1.1", "1.6", "1.10", "2.4", "2.5"),
    "02": ("1.2", "1.3", "1.4", "1.7", "1.8", "1.9", "2.1", "2.2"),
    "03": ("1.5", "2.3"),
    "04": ("1.11", "2.3"),
    "05": ("1.12", "1.13", "1.15", "2.6", "2.7", "2.8", "2.9", "2.10"),
    "06": ("2.11",),
    "07": ("1.14", "1.16", "2.9", "2.12"),
    "08": ("1.13", "1.17"),
    "09": ("1.18", "2.13"),
    "10": ("2.14",),
    "11": ("2.15",),
    "12": ("2.16",),
    "13": (),
}


def planned(row):
    """The names of the notebooks that the plan gives a row to."""
    return [name for name in NOTEBOOKS if row in PLAN[name[:2]]]


SLIPS = ("1.8", "1.11", "1.17", "2.7", "2.8", "2.12", "2.14", "2.16")  # rows that we correct
