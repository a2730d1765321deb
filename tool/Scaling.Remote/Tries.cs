// How often something is tried, how long silence may last, and when a server counts as gone.

namespace Scaling.Remote;

/// <summary>Requests of one direction: reading, or writing. After a few in a row that failed with all their tries, no other is begun in this run.</summary>
/// <param name="settings">Tries, waits and limits.</param>
/// <param name="time">The clock.</param>
/// <param name="gone">Told once, with what happened last.</param>
internal sealed class Tries(RemoteSettings settings, TimeProvider time, Action<string> gone) : IDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);
    private readonly CancellationTokenSource _gone = new();
    private readonly SemaphoreSlim _slots = new(settings.Parallel);
    private readonly Lock _counting = new();
    private int _failed;

    /// <summary>Whether the remote counts as gone.</summary>
    public bool AreOver => _gone.IsCancellationRequested;

    /// <summary>Tries until it succeeds or should not be tried again.</summary>
    /// <param name="once">One try, which tells its <see cref="Silence"/> of every byte.</param>
    /// <param name="stop">Stops trying.</param>
    /// <exception cref="RemoteFailure">No try succeeded, or the remote is gone.</exception>
    public async Task<T> Run<T>(Func<Silence, Task<T>> once, CancellationToken stop)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, _gone.Token);
        try
        {
            await _slots.WaitAsync(both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw Over();
        }

        try
        {
            return await TryAll(once, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw Over();
        }
        catch (RemoteFailure failure) when (!AreOver)
        {
            Failed(failure.Message);
            throw;
        }
        finally
        {
            _slots.Release();
        }
    }

    /// <summary>Counts an answer that no server of this kind gives as a request that failed.</summary>
    /// <param name="what">It answered.</param>
    public void Failed(string what)
    {
        lock (_counting)
        {
            if (++_failed < settings.FailuresInARow || AreOver)
            {
                return;
            }

            _gone.Cancel();
        }

        gone(what);
    }

    /// <summary>Counts an answer that makes sense.</summary>
    public void Succeeded()
    {
        lock (_counting)
        {
            _failed = 0;
        }
    }

    public void Dispose()
    {
        _gone.Dispose();
        _slots.Dispose();
    }

    private async Task<T> TryAll<T>(Func<Silence, Task<T>> once, CancellationToken stop)
    {
        for (int attempt = 1; ; attempt++)
        {
            using var silence = new Silence(settings.StallTimeout, stop);
            RemoteFailure failure;
            try
            {
                return await once(silence).ConfigureAwait(false);
            }
            catch (RemoteFailure e)
            {
                failure = e;
            }
            catch (OperationCanceledException) when (silence.IsTooLong)
            {
                failure = new RemoteFailure(FailureKind.Silent, FormattableString.Invariant($"nothing came or went for {settings.StallTimeout.TotalSeconds:0.#} s"));
            }

            int most = failure.Kind switch { FailureKind.Passing => settings.Attempts, FailureKind.Silent => Math.Min(2, settings.Attempts), _ => 1 };
            if (attempt >= most)
            {
                throw failure;
            }

            // Full jitter: many who were turned away together do not come back together.
            var wait = settings.FirstWait * Math.Pow(2, attempt - 1) * (0.5 + (Random.Shared.NextDouble() / 2));
            wait = failure.RetryAfter is { } asked && asked > wait ? asked : wait;
            await Task.Delay(wait < LongestWait ? wait : LongestWait, time, stop).ConfigureAwait(false);
        }
    }

    private static RemoteFailure Over() => new(FailureKind.Refused, "it is not asked any more");
}

/// <summary>Ends a try when no byte came or went for too long; the whole may take as long as it takes.</summary>
internal sealed class Silence : IDisposable
{
    private readonly CancellationTokenSource _ending;
    private readonly CancellationToken _stop;
    private readonly TimeSpan _longest;

    public Silence(TimeSpan longest, CancellationToken stop)
    {
        _longest = longest;
        _stop = stop;
        _ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Broken();
    }

    public CancellationToken Token => _ending.Token;

    /// <summary>Whether silence ended the try, and nobody asked for it.</summary>
    public bool IsTooLong => _ending.IsCancellationRequested && !_stop.IsCancellationRequested;

    /// <summary>Something came or went.</summary>
    public void Broken() => _ending.CancelAfter(_longest);

    public void Dispose() => _ending.Dispose();
}

/// <summary>What is sent, telling how far it is.</summary>
/// <param name="content">Seekable.</param>
/// <param name="sent">Takes the bytes of each read.</param>
internal sealed class SentStream(Stream content, Action<int> sent) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => content.Length;

    public override long Position
    {
        get => content.Position;
        set => content.Position = value;
    }

    public override int Read(byte[] buffer, int offset, int count) => Told(content.Read(buffer, offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => Told(await content.ReadAsync(buffer, cancellationToken).ConfigureAwait(false));

    public override long Seek(long offset, SeekOrigin origin) => content.Seek(offset, origin);

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        content.Dispose();
        base.Dispose(disposing);
    }

    private int Told(int bytes)
    {
        sent(bytes);
        return bytes;
    }
}
