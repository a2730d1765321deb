// Named objects on a server, whatever it speaks.
namespace Scaling.Remote;

/// <summary>The doors' common shape: <c>ac/KEY</c> and <c>cas/SHA256</c>. Each call is one try; whatever goes wrong is a <see cref="RemoteFailure"/>.</summary>
internal interface IRemoteObjects : IDisposable
{
    /// <summary>An object's content, its beginning answered; null where there is none.</summary>
    Task<Stream?> Open(string name, CancellationToken stop);

    /// <summary>An object's size, -1 where the server does not tell it; null where there is none.</summary>
    Task<long?> Size(string name, CancellationToken stop);

    /// <summary>Puts an object, replacing what was there.</summary>
    Task Put(string name, Stream content, CancellationToken stop);
}

/// <summary>How a try failed.</summary>
internal enum FailureKind
{
    /// <summary>Another try may succeed: no connection, a busy or broken server, a body that ended early.</summary>
    Passing,

    /// <summary>Nothing came or went for too long.</summary>
    Silent,

    /// <summary>The server will not: rights, a full disk, a request that it does not know.</summary>
    Refused,
}

/// <summary>A try that failed.</summary>
/// <param name="kind">How.</param>
/// <param name="message">What happened, without secrets, as the end of a sentence.</param>
internal sealed class RemoteFailure(FailureKind kind, string message) : Exception(message)
{
    public FailureKind Kind { get; } = kind;

    /// <summary>How long the server asks to wait; null where it does not.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
