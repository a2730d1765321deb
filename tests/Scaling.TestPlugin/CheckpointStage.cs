// checkpoint: a long action that goes on from its last checkpoint after a kill.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Scaling.Sdk;

namespace Scaling.TestPlugin;

/// <summary>Settings of <c>checkpoint</c>.</summary>
public sealed record CheckpointSettings
{
    /// <summary>Steps of the action; each ends with a checkpoint.</summary>
    [Description("How many steps it takes; each ends with a checkpoint.")]
    [Unit("steps")]
    [Range(1, 1000)]
    public int Steps { get; init; } = 3;

    /// <summary>What passes before each step; going on from a checkpoint, nothing does.</summary>
    [Description("How long it waits before each step, unless it goes on from a checkpoint.")]
    [Unit("ms")]
    [Range(0, 600_000)]
    public int Pause { get; init; }
}

/// <summary>Digests its table again and again. The checkpoint is <c>STEP DIGEST</c>.</summary>
public sealed class CheckpointStage : Stage<CheckpointSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "checkpoint",
        Summary = "Digests a table step by step, with a checkpoint after each.",
        Inputs = [Tables.EchoRows],
        Outputs = [new OutputFile("digest.txt", "digest")],
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<CheckpointSettings> context)
    {
        byte[] table = File.ReadAllBytes(context.Input("rows"));
        string[] last = context.Checkpoints.Last() is { } saved ? File.ReadAllText(saved).Split(' ') : ["0", ""];
        string digest = last[1];
        for (int step = int.Parse(last[0], CultureInfo.InvariantCulture) + 1; step <= context.Settings.Steps; step++)
        {
            if (last[1].Length == 0)
            {
                context.Stop.WaitHandle.WaitOne(context.Settings.Pause);
            }

            context.Stop.ThrowIfCancellationRequested();
            Journal.Note("checkpoint", $"step{step}");
            digest = Convert.ToHexString(SHA256.HashData([.. Encoding.UTF8.GetBytes(digest), .. table]));
            context.Checkpoints.Save(path => File.WriteAllText(path, $"{step} {digest}"));
            if (Environment.GetEnvironmentVariable("SCALING_TEST_FAIL_AFTER") == $"{step}")
            {
                throw new StageFailedException("SCAL9999", "It was asked to fail here.", "Nothing need be done.");
            }
        }

        File.WriteAllText(context.Output("digest.txt"), digest + "\n");
    }
}
