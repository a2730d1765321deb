// Whether processes can be traced here at all.
using System.Runtime.InteropServices;

namespace Scaling.Faults.Tracing;

/// <summary>Containers and hardened kernels refuse ptrace, and the registers that are read here are those of one architecture.</summary>
internal static class Probe
{
    /// <summary>Why nothing can be traced; null where it can.</summary>
    public static string? Refusal()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            return $"Faults are injected on Linux on x86-64 alone; this is {RuntimeInformation.RuntimeIdentifier}.";
        }

        string folder = Directory.CreateTempSubdirectory("scaling-faults-").FullName;
        try
        {
            var command = new Command("/bin/sh", ["-c", "echo traced > inside"], new Dictionary<string, string>(), folder, Path.Combine(folder, "probe"));
            var run = TracedRun.Start(command, folder, folder, Fault.None, TimeSpan.FromSeconds(20));
            run.All.GetAwaiter().GetResult();
            return run.Tool.Result == 0 && run.Steps.Count >= 2 ? null : $"A traced shell ended with {run.Tool.Result}, and {run.Steps.Count} of its steps were seen; expected 0, and at least 2.";
        }
        catch (TracingRefusedException e)
        {
            return $"Faults cannot be injected: {e.Message}.";
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
