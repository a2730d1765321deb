// examples/ExternalTrainer: a study whose rows a script trains, and the adapters of two trainers on log lines of theirs.
using System.Diagnostics;
using System.Text.Json.Nodes;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

public sealed class ExternalTrainerTests : IDisposable
{
    private static readonly string Example = Path.Combine(Repository.Root, "examples", "ExternalTrainer");

    private readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    [PythonFact]
    public void A_study_whose_rows_a_script_trains_is_stopped_goes_on_and_then_rests()
    {
        foreach (string file in (string[])["external.yaml", "bigrams.py"])
        {
            File.Copy(Path.Combine(Example, file), _tool.Folder[file]);
        }

        var first = _tool.Start("run", "external.yaml", "--jobs", "1");
        Tool.Until(() => first.HasExited || Directory.Exists(_tool.Folder["store/work"]) && Directory.EnumerateFiles(_tool.Folder["store/work"], "request.json", SearchOption.AllDirectories).Any(), "a call");
        Thread.Sleep(500);
        Tool.Signal(first.Id, "INT");
        Assert.Equal(130, Tool.End(first).ExitCode);

        var run = _tool.Run("run", "external.yaml", "--json");

        Assert.True(run.ExitCode == 0, run.Error);
        var runs = Table.Read(_tool.Folder["results/external/runs/runs.csv"]).Each().ToArray();
        Assert.Equal(6, runs.Length);
        Assert.All(runs, r => Assert.InRange(r.Number("loss"), 1.5, 3.2));
        Assert.All(runs, r => Assert.True(r.Truth("annealed")));
        Assert.True(runs.MinBy(r => r.Number("loss")).Number("parameters") > 25_000, "more counters lose less");
        Assert.True(File.Exists(_tool.Folder["results/external/law/law.json"]));
        Assert.Equal(0, _tool.Run("run", "external.yaml", "--json").Executed);

        File.AppendAllText(_tool.Folder["bigrams.py"], "# changed\n");
        Assert.Contains("6 of 6 actions to run", _tool.Run("plan", "external.yaml").Output);
    }

    [PythonFact]
    public void Megatron_is_told_the_shape_and_its_validation_losses_are_read()
    {
        var (arguments, result) = Adapt("with_megatron.py", """
             [2026-08-22 15:22:22.123456] iteration      100/     400 | consumed samples:         6400 | elapsed time per iteration (ms): 412.5 | learning rate: 3.000000E-04 | global batch size:    64 | lm loss: 4.567890E+00 | loss scale: 1.0 | grad norm: 0.812 | number of skipped iterations:   0 | number of nan iterations:   0 |
            ------------------------------------------------------------------------------------------------
             validation loss at iteration 400 | lm loss value: 3.141600E+00 | lm loss PPL: 2.314000E+01 | 
            ------------------------------------------------------------------------------------------------
             validation loss at iteration 400 on validation set | lm loss value: 3.141593E+00 | lm loss PPL: 2.314069E+01 | 
            """, ["--", "--use-distributed-optimizer"]);

        string line = string.Join(' ', arguments);
        Assert.StartsWith("--nproc_per_node 8 pretrain_gpt.py --num-layers 16 --hidden-size 2560 --ffn-hidden-size 4096 --num-attention-heads 72 --group-query-attention --num-query-groups 18 --kv-channels 64", line);
        Assert.Contains("--train-iters 400 --global-batch-size 64", line);
        Assert.DoesNotContain("--untie-embeddings-and-output-weights", line);
        Assert.EndsWith("--use-distributed-optimizer", line);
        var point = Assert.Single(result);
        Assert.Equal((400L * 64 * 4096, 3.141593, true, 400), ((long)point["tokens"]!, (double)point["loss"]!, (bool)point["annealed"]!, (int)point["steps"]!));
    }

    [PythonFact]
    public void A_Megatron_run_that_diverges_is_a_point_without_a_loss()
    {
        var (_, result) = Adapt("with_megatron.py", """
             [2026-08-22 15:22:22.123456] iteration       20/     400 | consumed samples:         1280 | elapsed time per iteration (ms): 412.5 | learning rate: 3.000000E-04 | global batch size:    64 | lm loss: 9.567890E+00 | loss scale: 1.0 | grad norm: 88.812 |
            RuntimeError: found NaN in local forward loss calculation
            """, [], exit: 1);

        Assert.Equal((null, 21), ((double?)Assert.Single(result)["loss"], (int)result[0]["steps"]!));
    }

    [PythonFact]
    public void Torchtitan_is_started_with_the_rows_configuration_and_its_validation_losses_are_read()
    {
        var (arguments, result) = Adapt("with_torchtitan.py", """
            [rank0]:[titan] 2026-08-21 21:30:19,338 - root - INFO - step: 396  loss:  3.24405  grad_norm:  0.8319  memory:  9.46GiB(64.99%)  tps: 7,282  tflops: 0.52  mfu: 0.17%
            [rank0]:[titan] 2026-08-21 21:30:20,338 - root - INFO - validate step:  1  loss: 11.7654  memory:  9.46GiB(64.99%)  tps: 17,282
            [rank0]:[titan] 2026-08-21 21:30:21,338 - root - INFO - ESC[33mvalidate step: 400  ESC[32mloss:  3.1416  ESC[36mmemory:  9.46GiB(64.99%)  ESC[34mtps: 17,282ESC[0m
            """.Replace("ESC", "\u001b", StringComparison.Ordinal), []);

        Assert.EndsWith("-m torchtitan.train --module scaling_row --config row", string.Join(' ', arguments));
        Assert.Equal([(1, 11.7654, false), (400, 3.1416, true)], result.Select(p => ((int)p["steps"]!, (double)p["loss"]!, (bool)p["annealed"]!)));
    }

    /// <summary>Runs an adapter with a torchrun that prints a log; what that was told, and the points.</summary>
    private (string[] Arguments, JsonNode[] Result) Adapt(string adapter, string log, string[] more, int exit = 0)
    {
        var folder = _tool.Folder;
        string printed = folder.Write("log.txt", log + "\n");
        string torchrun = folder.Write("bin/torchrun", $"#!/bin/sh\nprintf '%s\\n' \"$@\" >'{folder["arguments"]}'\ncat '{printed}'\nexit {exit}\n");
        Process.Start("chmod", ["+x", torchrun]).WaitForExit();
        Directory.CreateDirectory(folder["checkout"]);
        string request = folder.Write("request.json", """
            {"version": 1, "shape": {"shape": "abcd0123", "layers": 16, "hidden": 2560, "intermediate": 4096, "heads": 72, "kv_heads": 18, "head_size": 64, "vocabulary": 128256, "tied": true},
             "seed": 1, "pipeline_seed": 0, "tokens": 104857600, "steps": 400, "batch": 64, "context": 4096, "points": [400], "schedule": "cosine", "learning_rate": 0.0003,
             "warmup_steps": 20, "decay": 0.2, "weight_decay": 0.1, "evaluation_tokens": 131072, "work": "WORK"}
            """.Replace("WORK", folder["work"], StringComparison.Ordinal));
        var start = new ProcessStartInfo("python3", [Path.Combine(Example, adapter), "--checkout", folder["checkout"], "--train-data", "train", "--valid-data", "valid", "--tokenizer", "tokenizer", "--gpus", "8", .. more])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
        };
        start.Environment["PATH"] = folder["bin"] + ":" + Environment.GetEnvironmentVariable("PATH");
        start.Environment["SCALING_REQUEST"] = request;
        start.Environment["SCALING_RESULT"] = folder["result.jsonl"];
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        var ended = Tool.End(process);

        Assert.True(ended.ExitCode == exit, ended.Output + ended.Error);
        return (File.ReadAllLines(folder["arguments"]), [.. File.ReadAllLines(folder["result.jsonl"]).Select(l => JsonNode.Parse(l)!)]);
    }
}
