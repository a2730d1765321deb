// What the command line asks for.
using System.Globalization;
using Scaling.Faults.Faulted;
using Scaling.Faults.Fuzzing;

namespace Scaling.Faults;

/// <summary>A usage error, for the person who typed it.</summary>
/// <param name="message">A sentence that says what to type.</param>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>The options of a command on runs.</summary>
internal sealed record Arguments
{
    /// <summary>What is tried.</summary>
    public CampaignSettings Settings { get; init; } = new();

    /// <summary>Where; null: in a temporary folder.</summary>
    public string? Folder { get; init; }

    /// <summary>The tool's program; null: the one that was built with this.</summary>
    public string? Tool { get; init; }

    /// <summary>Reads <c>--name value</c> pairs.</summary>
    /// <param name="command">Whose.</param>
    /// <param name="args">Behind it.</param>
    /// <exception cref="UsageException">An unknown name, a missing or wrong value.</exception>
    public static Arguments Parse(string command, ReadOnlySpan<string> args)
    {
        var parsed = new Arguments { Settings = new CampaignSettings { Random = command == "random" ? 300 : 0 } };
        for (int i = 0; i < args.Length; i += 2)
        {
            string name = args[i];
            string? value = i + 1 < args.Length ? args[i + 1] : null;
            var settings = parsed.Settings;
            parsed = (command, name) switch
            {
                ("every-step", "--kinds") => parsed with { Settings = settings with { Kinds = Kinds(value) } },
                ("every-step", "--every") => parsed with { Settings = settings with { Every = Whole(name, value, 1, 1_000_000) } },
                ("random", "--count") => parsed with { Settings = settings with { Random = Whole(name, value, 1, 1_000_000) } },
                ("every-step", "--steps") => parsed with { Settings = Between(settings, value) },
                ("every-step" or "random" or "steps", "--jobs") => parsed with { Settings = settings with { Jobs = Whole(name, value, 1, 64) } },
                ("every-step" or "random", "--side-by-side") => parsed with { Settings = settings with { SideBySide = Whole(name, value, 1, 256) } },
                ("every-step" or "random", "--seed") => parsed with { Settings = settings with { Seed = Whole(name, value, 0, int.MaxValue) } },
                ("every-step" or "random", "--minutes") => parsed with { Settings = settings with { Longest = TimeSpan.FromMinutes(Whole(name, value, 1, 100_000)) } },
                (not "probe", "--tool") when File.Exists(value) => parsed with { Tool = Path.GetFullPath(value) },
                (not "probe", "--folder") when value is { Length: > 0 } => parsed with { Folder = Path.GetFullPath(value) },
                _ => throw new UsageException($"{command} has no option '{name}'."),
            };
        }

        return parsed;
    }

    internal static int Whole(string name, string? value, int low, int high) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= low && number <= high
            ? number
            : throw new UsageException($"{name} takes a whole number from {low} to {high}, found {(value is null ? "nothing" : $"'{value}'")}.");

    private static CampaignSettings Between(CampaignSettings settings, string? value) =>
        value?.Split('-') is [var first, var last]
            ? settings with { First = Whole("--steps", first, 1, 1_000_000), Last = Whole("--steps", last, 1, 1_000_000) }
            : throw new UsageException($"--steps takes FIRST-LAST, found {(value is null ? "nothing" : $"'{value}'")}.");

    private static string[] Kinds(string? value)
    {
        string[] kinds = value?.Split(',') ?? [];
        return kinds.Length > 0 && kinds.All(CampaignSettings.AllKinds.Contains)
            ? kinds
            : throw new UsageException($"--kinds takes some of {string.Join(",", CampaignSettings.AllKinds)}, found {(value is null ? "nothing" : $"'{value}'")}.");
    }
}

/// <summary>The options of <c>fuzz</c>.</summary>
internal static class FuzzArguments
{
    /// <summary>Reads <c>--name value</c> pairs.</summary>
    /// <param name="args">Behind the command.</param>
    /// <exception cref="UsageException">An unknown name, a missing or wrong value.</exception>
    public static FuzzSettings Parse(ReadOnlySpan<string> args)
    {
        var parsed = new FuzzSettings(100_000, 1, Environment.CurrentDirectory);
        for (int i = 0; i < args.Length; i += 2)
        {
            string name = args[i];
            string? value = i + 1 < args.Length ? args[i + 1] : null;
            parsed = name switch
            {
                "--count" => parsed with { Count = Arguments.Whole(name, value, 1, 1_000_000_000) },
                "--seed" => parsed with { Seed = Arguments.Whole(name, value, 0, int.MaxValue) },
                "--case" => parsed with { Only = Arguments.Whole(name, value, 0, 1_000_000_000) },
                "--folder" when value is { Length: > 0 } => parsed with { Folder = Directory.CreateDirectory(value).FullName },
                _ => throw new UsageException($"fuzz has no option '{name}'."),
            };
        }

        return parsed;
    }
}
