// Slurm's commands as programs: what they were given, what they said, and how long they may take.
using System.ComponentModel;
using System.Diagnostics;

namespace Scaling.Engine.Executors.Slurm;

/// <summary>What a command said.</summary>
/// <param name="ExitCode">Null where it did not end in time and was ended.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Error">Its standard error.</param>
public sealed record SlurmAnswer(int? ExitCode, string Output, string Error)
{
    /// <summary>Whether it is one: the command ended, and with 0.</summary>
    public bool IsGiven => ExitCode == 0;

    /// <summary>The command's own words on one line, for whoever reads a message.</summary>
    public string Words
    {
        get
        {
            string[] lines = [.. Error.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0).Distinct()];
            return lines.Length > 0 ? Pipelines.PipelineDiagnostics.OnOneLine(string.Join("; ", lines)) : ExitCode is { } code ? $"exit code {code}, and no word" : "no answer in time";
        }
    }
}

/// <summary>Calls sbatch, squeue, sacct, scontrol and scancel.</summary>
/// <param name="patience">How long one call may take.</param>
public sealed class SlurmCommands(TimeSpan patience)
{
    /// <summary>Variables by which sites and users give defaults that we do not contradict: where the study says nothing, they hold.</summary>
    private static readonly string[] Kept = ["SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT", "SBATCH_ACCOUNT", "SBATCH_PARTITION", "SBATCH_QOS", "SBATCH_RESERVATION"];
    private static readonly string[] Prefixes = ["SLURM_", "SBATCH_", "SQUEUE_", "SACCT_", "SCANCEL_", "SCONTROL_"];

    /// <summary>The folder of the commands. Default: they are found on the PATH.</summary>
    public string Folder { get; init; } = "";

    /// <summary>Calls one.</summary>
    /// <param name="program">Its name.</param>
    /// <param name="arguments">Its arguments; no shell reads them.</param>
    /// <param name="input">Its standard input; null for none.</param>
    /// <exception cref="InfrastructureException">SCAL5101: there is no such program.</exception>
    public async Task<SlurmAnswer> Call(string program, IReadOnlyList<string> arguments, string? input = null)
    {
        var start = new ProcessStartInfo(Path.Combine(Folder, program), arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (string name in start.Environment.Keys.Where(n => Prefixes.Any(p => n.StartsWith(p, StringComparison.Ordinal)) && !Kept.Contains(n)).ToArray())
        {
            start.Environment.Remove(name); // Another format, or a wait: what we read would not be what we asked for. Those of a job that we run in would hold for ours.
        }

        start.Environment["LC_ALL"] = "C";
        start.Environment["SLURM_TIME_FORMAT"] = "standard";
        start.Environment["SLURM_BITSTR_LEN"] = "0"; // Else the indexes of an array are cut after 64 characters.
        using var process = Begin(start, program);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.StandardInput.WriteAsync(input).ConfigureAwait(false);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it had read all; its words tell why.
        }

        using var late = new CancellationTokenSource(patience);
        try
        {
            await process.WaitForExitAsync(late.Token).ConfigureAwait(false);
            await Task.WhenAll(output, error).WaitAsync(late.Token).ConfigureAwait(false);
            return new SlurmAnswer(process.ExitCode, await output.ConfigureAwait(false), await error.ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return new SlurmAnswer(null, "", $"{program} did not answer within {patience.TotalSeconds:0} s");
        }
    }

    /// <summary>Cancels jobs, a hundred a call; those whose number nobody knows by their name, which no other has.</summary>
    /// <param name="jobs">Any.</param>
    /// <returns>Slurm's words where it did not hear one of the calls; null where it did.</returns>
    /// <exception cref="InfrastructureException">SCAL5101: there is no scancel.</exception>
    public async Task<string?> Cancel(IReadOnlyList<(JobFolder Folder, JobRecord Record)> jobs)
    {
        var byNumber = jobs.Select(j => j.Folder.Claim).OfType<string>().Chunk(100);
        var byName = jobs.Where(j => j.Folder.Claim is null).Select(j => new[] { $"--user={Environment.UserName}", $"--name={JobName.Of(j.Record.Pipeline, j.Record.Stage, j.Record.Token)}" });
        string? unheard = null;
        foreach (string[] which in byNumber.Concat(byName))
        {
            var answer = await Call("scancel", which).ConfigureAwait(false);
            unheard = answer.IsGiven || SlurmAnswers.SaysItEnded(answer.Error) ? unheard : answer.Words;
        }

        return unheard;
    }

    private static Process Begin(ProcessStartInfo start, string program)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new InfrastructureException(
                "SCAL5101", $"The command {program} of Slurm cannot be started: {new Win32Exception(e.NativeErrorCode).Message}.",
                "Run this where jobs are submitted, on a login node of the cluster, with Slurm's commands on the PATH (often 'module load slurm'); or run on this machine: --executor local.");
        }
    }
}
