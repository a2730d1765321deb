// Where the remote cache is, what may be done there, and whom it is believed: read from the command line and the environment before anything runs.
using System.Globalization;
using Scaling.Sdk;

namespace Scaling.Remote;

/// <summary>What a remote cache is used with.</summary>
/// <param name="Address"><c>http</c>, <c>https</c> or <c>s3</c>; without credentials.</param>
public sealed record RemoteSettings(Uri Address)
{
    /// <summary>Whether entries are looked for there. Default: true.</summary>
    public bool MayRead { get; init; } = true;

    /// <summary>Whether entries are given. Default: false.</summary>
    public bool MayWrite { get; init; }

    /// <summary>Signs what is given. Default: null, unsigned.</summary>
    public SigningKey? SigningKey { get; init; }

    /// <summary>Whose entries are taken. Default: null, anybody's.</summary>
    public TrustedKeys? TrustedKeys { get; init; }

    /// <summary>A header of every request, name and value; holds a secret. Default: null, none.</summary>
    public (string Name, string Value)? Header { get; init; }

    /// <summary>So long a connection may take. Default: 10 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>So long nothing may come or go. No transfer has a limit as a whole. Default: 30 s.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Tries of one request, at least 1; those that nothing answered in time are tried twice at most. Default: 4.</summary>
    public int Attempts { get; init; } = 4;

    /// <summary>Wait before the second try; doubled for each further one, with jitter. Default: 200 ms.</summary>
    public TimeSpan FirstWait { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Requests side by side. Default: 16.</summary>
    public int Parallel { get; init; } = 16;

    /// <summary>After so many requests in a row that failed with all their tries, the remote counts as unreachable. Default: 3.</summary>
    public int FailuresInARow { get; init; } = 3;

    /// <summary>What was asked for; null where no remote is named, or the network is not to be touched.</summary>
    /// <param name="address">Of <c>--remote</c>; null: SCALING_REMOTE.</param>
    /// <param name="rights">Of <c>--rights</c>; null: SCALING_RIGHTS, else <c>local:rw,remote:r</c>.</param>
    /// <param name="offline">Of <c>--offline</c>.</param>
    /// <param name="variable">Gives variables of the environment.</param>
    /// <exception cref="RemoteUsageException">SCAL1040 to SCAL1043, SCAL1046, SCAL1047.</exception>
    public static RemoteSettings? Read(string? address, string? rights, bool offline, Func<string, string?> variable)
    {
        string? named = Given(address, variable("SCALING_REMOTE"));
        if (named is null || offline)
        {
            return null;
        }

        var (uri, user) = Addressed(named);
        var (read, write) = Rights(Given(rights, variable("SCALING_RIGHTS")) ?? "local:rw,remote:r");
        return new RemoteSettings(uri)
        {
            MayRead = read,
            MayWrite = write,
            Header = Given(null, variable("SCALING_REMOTE_HEADER")) is { } header ? HeaderOf(header) : user,
            SigningKey = write && Given(null, variable("SCALING_SIGNING_KEY")) is { } key ? SigningKey.Read(key) : null,
            TrustedKeys = Given(null, variable("SCALING_TRUSTED_KEYS")) is { } keys ? TrustedKeys.Read(keys) : null,
            StallTimeout = Given(null, variable("SCALING_REMOTE_TIMEOUT")) is { } seconds ? Timeout(seconds) : TimeSpan.FromSeconds(30),
        };
    }

    private static string? Given(string? option, string? variable) => !string.IsNullOrEmpty(option) ? option : !string.IsNullOrEmpty(variable) ? variable : null;

    private static (Uri Address, (string, string)? User) Addressed(string text)
    {
        // The text is not shown: it may hold a password.
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https" or "s3") || uri.Host.Length == 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0)
        {
            throw new RemoteUsageException("SCAL1040", "The address of the remote cache is not understood.", "Write https://HOST/PATH or s3://BUCKET/PREFIX after --remote, or into SCALING_REMOTE.");
        }

        if (uri.UserInfo.Length == 0)
        {
            return (uri, null);
        }

        if (uri.Scheme == "s3")
        {
            throw new RemoteUsageException("SCAL1040", "The address of the remote cache holds credentials, which s3:// does not take.", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, give them.");
        }

        string basic = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(Uri.UnescapeDataString(uri.UserInfo)));
        return (new UriBuilder(uri) { UserName = "", Password = "" }.Uri, ("Authorization", $"Basic {basic}"));
    }

    private static (bool Read, bool Write) Rights(string text)
    {
        bool? read = null;
        bool? write = null;
        foreach (string part in text.Split(','))
        {
            switch (part.Trim().Split(':'))
            {
                case ["local", "rw"]:
                    break;
                case ["remote", var rights] when read is null && rights is ("r" or "w" or "rw"):
                    (read, write) = (rights.Contains('r'), rights.Contains('w'));
                    break;
                default:
                    throw new RemoteUsageException("SCAL1041", $"The rights '{text}' are not understood.", "For example local:rw,remote:r (the default: nothing is given to the remote), remote:rw or remote:w.");
            }
        }

        return (read ?? true, write ?? false);
    }

    private static (string, string) HeaderOf(string text) =>
        text.Split(':', 2) is [{ Length: > 0 } name, var value] && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') && value.Trim() is { Length: > 0 } content && !content.Any(char.IsControl)
            ? (name, content)
            : throw new RemoteUsageException("SCAL1046", "SCALING_REMOTE_HEADER is no header.", "For example 'Authorization: Bearer TOKEN'.");

    private static TimeSpan Timeout(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds is >= 0.1 and <= 3600
            ? TimeSpan.FromSeconds(seconds)
            : throw new RemoteUsageException("SCAL1047", $"SCALING_REMOTE_TIMEOUT takes seconds from 0.1 to 3600, found '{text}'.", "So long nothing may come or go before a transfer is tried again; 30 is the default.");
}

/// <summary>What was asked of the remote cache cannot be worked with; exit code 2, before anything runs.</summary>
/// <param name="code">SCAL104x.</param>
/// <param name="message">What was found, and what was expected.</param>
/// <param name="hint">What to do next.</param>
public sealed class RemoteUsageException(string code, string message, string? hint = null) : Exception(message)
{
    /// <summary>For the user.</summary>
    public Diagnostic Diagnostic { get; } = new(code, message) { Hint = hint };
}
