// What the command line asks for.
using System.Globalization;

namespace Scaling.Benchmarks;

/// <summary>A usage error, for the person who typed it.</summary>
/// <param name="message">A sentence that says what to type.</param>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>The settings of <c>engine</c>.</summary>
internal sealed record EngineArguments
{
    /// <summary>Divides points and repetitions, 1 to 20; more than 1 shows that the benchmark works, and no more. Default: 1.</summary>
    public int Shrink { get; init; } = 1;

    /// <summary>Reads <c>--name value</c> pairs.</summary>
    /// <param name="args">Behind the command.</param>
    /// <exception cref="UsageException">An unknown name, a missing or wrong value.</exception>
    public static EngineArguments Parse(ReadOnlySpan<string> args) => args switch
    {
        [] => new(),
        ["--shrink"] => new() { Shrink = CoverageArguments.Whole("--shrink", null, 1, 20) },
        ["--shrink", var value] => new() { Shrink = CoverageArguments.Whole("--shrink", value, 1, 20) },
        _ => throw new UsageException($"engine takes --shrink N alone, found '{string.Join(' ', args)}'."),
    };
}

/// <summary>The settings of <c>speed</c>.</summary>
/// <param name="Folder">Keeps what is measured.</param>
internal sealed record SpeedArguments(string Folder)
{
    /// <summary>A folder of an earlier run; null: none. Default: null.</summary>
    public string? Against { get; init; }

    /// <summary>Of the shapes. Default: 3.</summary>
    public int Seed { get; init; } = 3;

    /// <summary>Reads a folder and <c>--name value</c> pairs.</summary>
    /// <param name="args">Behind the command.</param>
    /// <exception cref="UsageException">No folder, an unknown name, a missing or wrong value.</exception>
    public static SpeedArguments Parse(ReadOnlySpan<string> args)
    {
        if (args is not [var folder, ..] || folder.StartsWith('-'))
        {
            throw new UsageException("speed takes a folder for what it measures.");
        }

        var parsed = new SpeedArguments(folder);
        for (int i = 1; i < args.Length; i += 2)
        {
            string name = args[i];
            string? value = i + 1 < args.Length ? args[i + 1] : null;
            parsed = name switch
            {
                "--against" => parsed with { Against = Directory.Exists(value) ? value : throw new UsageException($"--against takes the folder of an earlier run, found {(value is null ? "nothing" : $"'{value}'")}.") },
                "--seed" => parsed with { Seed = CoverageArguments.Whole(name, value, 0, int.MaxValue) },
                _ => throw new UsageException($"speed has no option '{name}'; it has --against, --seed."),
            };
        }

        return parsed;
    }
}

/// <summary>The coverage study's settings.</summary>
internal sealed record CoverageArguments
{
    /// <summary>Worlds with a valley, and as many without, of the target's design or of the only one; beside the target's the others get a fifth. Default: 1000.</summary>
    public int Worlds { get; init; } = 1000;

    /// <summary>Of each fit, 1 to 10 000. Default: 1000.</summary>
    public int Resamples { get; init; } = 1000;

    /// <summary>Of the worlds. Default: 1.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>The only design to run; null: all. Default: null.</summary>
    public string? Design { get; init; }

    /// <summary>Reads <c>--name value</c> pairs.</summary>
    /// <param name="args">Behind the command.</param>
    /// <exception cref="UsageException">An unknown name, a missing or wrong value.</exception>
    public static CoverageArguments Parse(ReadOnlySpan<string> args)
    {
        var parsed = new CoverageArguments();
        for (int i = 0; i < args.Length; i += 2)
        {
            string name = args[i];
            string? value = i + 1 < args.Length ? args[i + 1] : null;
            parsed = name switch
            {
                "--worlds" => parsed with { Worlds = Whole(name, value, 5, 1_000_000) },
                "--resamples" => parsed with { Resamples = Whole(name, value, 1, 10_000) },
                "--seed" => parsed with { Seed = Whole(name, value, 0, int.MaxValue) },
                "--design" => parsed with { Design = Known(value) },
                _ => throw new UsageException($"coverage has no option '{name}'; it has --worlds, --resamples, --seed, --design."),
            };
        }

        return parsed;
    }

    internal static int Whole(string name, string? value, int low, int high) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= low && number <= high
            ? number
            : throw new UsageException($"{name} takes a whole number from {low} to {high}, found {(value is null ? "nothing" : $"'{value}'")}.");

    private static string Known(string? value) => CoverageDesigns.All.Any(d => d.Name == value)
        ? value!
        : throw new UsageException($"--design takes one of {string.Join(", ", CoverageDesigns.All.Select(d => d.Name))}, found {(value is null ? "nothing" : $"'{value}'")}.");
}
