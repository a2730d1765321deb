# The torchtitan configuration of a row: "--module scaling_row --config row". Names and fields as of commit b5bcd76c (August 2026).
import json
import math
import os
from functools import partial

import torch.nn as nn
from torchtitan.components.checkpointer import CheckpointManager
from torchtitan.components.data import ConcatThenSplitPackingConfig, GrainDataLoader, HuggingFaceRandomAccessSource, SingleDatasetConfig
from torchtitan.components.loss import ChunkedLossWrapper, CrossEntropyLoss
from torchtitan.components.metrics import MetricsProcessor
from torchtitan.components.optimizer import LRSchedulersContainer, default_adamw
from torchtitan.components.validate import Validator
from torchtitan.config import ParallelismConfig, TrainingConfig
from torchtitan.config.configs import DebugConfig
from torchtitan.distributed.pipeline_parallel import pipeline_llm
from torchtitan.hf_datasets.text_datasets import TextProcessor
from torchtitan.models.common import ComplexRoPE, Embedding, Linear, RMSNorm
from torchtitan.models.common.config_utils import get_attention_config, make_ffn_config, make_gqa_config
from torchtitan.models.common.param_init import skip_param_init
from torchtitan.models.llama3 import Llama3Model, parallelize_llama
from torchtitan.models.llama3.model import Llama3TransformerBlock
from torchtitan.models.llama3.state_dict_adapter import Llama3StateDictAdapter
from torchtitan.protocols.model_spec import ModelSpec
from torchtitan.trainer import Trainer


def model(shape, context):
    layers, dim, vocabulary = shape["layers"], shape["hidden"], shape["vocabulary"]
    norm = {"weight": nn.init.ones_}

    def normal(std):
        return {"weight": partial(nn.init.trunc_normal_, std=std), "bias": nn.init.zeros_}

    inner, residual = normal(0.02), normal(0.02 / math.sqrt(2 * layers))
    rope = ComplexRoPE.Config(dim=shape["head_size"], max_context_length=context, theta=10_000)
    return Llama3Model.Config(
        dim=dim,
        vocab_size=vocabulary,
        enable_weight_tying=shape["tied"],
        tok_embeddings=Embedding.Config(
            num_embeddings=vocabulary, embedding_dim=dim, param_init={"weight": skip_param_init if shape["tied"] else partial(nn.init.normal_, std=0.02)}),
        norm=RMSNorm.Config(normalized_shape=dim, param_init=norm),
        lm_head=Linear.Config(in_features=dim, out_features=vocabulary, param_init=inner),
        layers=[
            Llama3TransformerBlock.Config(
                attention_norm=RMSNorm.Config(normalized_shape=dim, param_init=norm),
                ffn_norm=RMSNorm.Config(normalized_shape=dim, param_init=norm),
                attention=make_gqa_config(
                    dim=dim, n_heads=shape["heads"], n_kv_heads=shape["kv_heads"], head_dim=shape["head_size"], fuse_qkv=True,
                    wqkv_param_init=inner, wo_param_init=residual, inner_attention=get_attention_config("flex"), rope=rope),
                feed_forward=make_ffn_config(dim=dim, hidden_dim=shape["intermediate"], w1_param_init=inner, w2w3_param_init=residual))
            for _ in range(layers)
        ])


def text(path):
    return ConcatThenSplitPackingConfig(dataset=SingleDatasetConfig(
        source=HuggingFaceRandomAccessSource.Config(path="json", split="train", load_dataset_kwargs={"data_files": path}), processor=TextProcessor.Config(),
        post_filters=(lambda sample: sample is not None,)))


def row():
    with open(os.environ["SCALING_REQUEST"], encoding="utf-8") as file:
        request = json.load(file)
    gpus, micro_batch, context = int(os.environ["TITAN_GPUS"]), int(os.environ["TITAN_MICRO_BATCH"]), request["context"]
    stable = request["schedule"] == "warmup-stable-decay"
    return Trainer.Config(
        model_spec=ModelSpec(
            name="llama3", flavor=request["shape"]["shape"], model=model(request["shape"], context), parallelize_fn=parallelize_llama,
            pipelining_fn=pipeline_llm, post_optimizer_build_fn=None, state_dict_adapter=Llama3StateDictAdapter),
        loss=ChunkedLossWrapper.Config(loss_fn=CrossEntropyLoss.Config(global_vocab_size=request["shape"]["vocabulary"])),
        hf_assets_path=os.environ["TITAN_TOKENIZER"],
        dump_folder=request["work"],
        optimizer=default_adamw(lr=request["learning_rate"], weight_decay=request["weight_decay"]),
        lr_scheduler=LRSchedulersContainer.Config(
            warmup_steps=request["warmup_steps"], decay_ratio=request["decay"] if stable else None, decay_type="sqrt" if stable else "cosine",
            min_lr_factor=0.0 if stable else 0.1),
        training=TrainingConfig(
            num_tokens_per_microbatch_per_dp_rank=micro_batch * context, num_tokens_per_train_step=request["batch"] * context,
            max_context_length=context, steps=request["steps"]),
        parallelism=ParallelismConfig(data_parallel_shard_degree=gpus),
        dataloader=GrainDataLoader.Config(dataset=text(os.environ["TITAN_TRAIN"]), shuffle=False),
        validator=Validator.Config(
            enable=True, freq=request["steps"], steps=max(1, math.ceil(request["evaluation_tokens"] / (gpus * micro_batch * context))),
            dataloader=GrainDataLoader.Config(dataset=text(os.environ["TITAN_VALID"]), shuffle=False)),
        checkpoint=CheckpointManager.Config(enable=True, interval=max(1, request["steps"] // 20), keep_latest_k=2, last_save_model_only=False),
        metrics=MetricsProcessor.Config(log_freq=max(1, request["steps"] // 100), disable_color_printing=True),
        debug=DebugConfig(seed=request["seed"]))
